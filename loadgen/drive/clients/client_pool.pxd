from loadgen.drive.connection_manager cimport ConnectionManager
from loadgen.drive.requests.builder cimport RequestBuilder


cdef class GreenletClientPool(ConnectionManager):
    cdef readonly RequestBuilder builder
    cdef readonly object hub, scenario_policy, websockets
    cdef readonly set timed
    cdef object _origin, _shared, _users, _slot_numbers
    cdef dict _present, _sharing
    cdef list _pools
    cdef bint _closed

    cpdef join(self, GreenletClientPool first)
    cpdef new_client(self, int concurrency=*, long long user=*)
    cpdef release(self, client)
    cpdef close(self)
    cpdef new_connection(self, listener)
    cpdef _new_reader(self)
