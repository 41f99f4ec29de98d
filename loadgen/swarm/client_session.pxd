cdef class ClientSession:
    cdef object _user, _clients, _call, _event, _origin, _base, _policy, _headers
    cdef public object request_name, params, auth, timeout, verify, cert, max_redirects, each_redirect
    cdef dict __dict__
