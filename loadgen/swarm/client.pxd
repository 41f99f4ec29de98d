from loadgen.drive.requests.call_result cimport CallResult
from loadgen.swarm.response cimport ReuseResponse, failure_of


cdef class ReuseClient:
    cdef object _user, _clients, _call, _event, _origin, _base, _policy, _headers
    cdef public object request_name, params, auth, timeout, verify, cert, max_redirects, each_redirect
    cdef dict __dict__

    cdef _outgoing(self, method, url, params, headers, cookies)
    cdef CallResult _send(self, sent, trust, timeout)
    cdef ReuseResponse _follow(self, chain, trust, timeout, name, start_time, context, bint catches)
    cdef ReuseResponse _hop(self, chain, name, start_time, context, bint catches)
    cdef dict _meta(self, CallResult result, method, name, url, start_time, context)

cdef _name_of(target)
