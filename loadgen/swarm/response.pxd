from loadgen.drive.requests.call_result cimport CallResult

cpdef failure_of(CallResult result)


cdef class ReuseResponse:
    cdef CallResult _result
    cdef bint _catches, _entered
    cdef object _event, _headers, _verdict, _failure, _body, sent, source
    cdef dict _meta
    cdef public object status_code, url, history, encoding, js

    cpdef answer(self, sent)
    cpdef report(self)
    cdef _check_entered(self)
