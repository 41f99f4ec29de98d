from loadgen.swarm.response cimport ReuseResponse, failure_of


cdef class ReuseClient:
    cdef object _user, _call, _event, _origin, _base, _policy
    cdef dict __dict__

    cdef _target(self, path, params)
