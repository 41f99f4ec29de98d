from loadgen.drive.requests.user_state cimport UserState


cdef class PathCookieState(UserState):
    cdef public object path
    cdef object _origin, _noted_path
    cdef readonly dict _by_path

    cpdef take_cookies(self, head, url)
    cpdef cookies(self)
    cpdef take_cookies_of(self, path, head, url)
    cpdef cookies_of(self, path)
    cpdef use_jar(self, jar)
    cpdef forget(self)
