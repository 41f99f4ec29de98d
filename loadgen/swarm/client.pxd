from loadgen.drive.requests.call_result cimport CallResult
from loadgen.swarm.client_session cimport ClientSession
from loadgen.swarm.response cimport ReuseResponse, failure_of


cdef class ReuseClient(ClientSession):
    cdef _outgoing(self, method, url, params, headers, cookies)
    cdef CallResult _send(self, sent, way)
    cdef ReuseResponse _follow(self, chain, way, name, start_time, context, bint catches)
    cdef ReuseResponse _hop(self, chain, name, start_time, context, bint catches)
    cdef dict _meta(self, CallResult result, method, name, url, start_time, context)

cdef _name_of(target)
