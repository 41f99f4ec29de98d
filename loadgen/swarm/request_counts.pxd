cimport cython


@cython.locals(second=cython.longlong)
cpdef count_request(entry, double now_s, time_ms, rounded_ms, content_bytes)
