"""A client's TLS context: whom it trusts, what it offers, who it is. Makes no connection.

What the TLS library does not know, such as the name of a group, is a PlanError here, before a connection is tried.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from OpenSSL import SSL

from loadgen.model.exceptions import PlanError
from loadgen.model.tls_settings import DEFAULT_TLS, TlsSettings
from loadgen.wire.client_certificates import ClientCertificate
from loadgen.wire.key_log import log_keys
from loadgen.wire.openssl import ffi, lib, reason_of

H2_OR_HTTP1, HTTP1_ALONE = (b"h2", b"http/1.1"), (b"http/1.1",)

# The classical groups, as the C tools offer them. OpenSSL's default adds an ML-KEM key share, which costs the client
# CPU even if the server does not use it. Each run records what was negotiated.
_GROUPS = "X25519:P-256:P-384:P-521"
VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_OF_TLS_1_3 = "TLS_"  # how the names of its cipher suites begin
# Post-quantum groups are for TLS 1.3 alone (draft-ietf-tls-ecdhe-mlkem).
_POST_QUANTUM = re.compile("mlkem|kyber", re.IGNORECASE)
# What OpenSSL's lists of ciphers have beside names: commands, and signs before a name.
_SIGNS = re.compile(r"^[!+-]")
_COMMAND = re.compile(r"^@")


class ClientContext(SSL.Context):
    """What the connections of a client have in common."""

    def __init__(self, certificate: ClientCertificate | None = None) -> None:
        super().__init__(SSL.TLS_CLIENT_METHOD)
        self.has_certificate = certificate is not None
        """There is a certificate to show."""
        self._asked = [False]
        self._handle = ffi.new_handle(self._asked)
        lib.SSL_CTX_set_cert_cb(self._context, _note_request, self._handle)
        if certificate is not None:
            self._use(certificate)

    @property
    def certificate_asked(self) -> bool:
        """A server has asked for a client certificate (RFC 8446 §4.3.2)."""
        return self._asked[0]

    def _use(self, certificate: ClientCertificate) -> None:
        own, *others = certificate.chain
        try:
            self.use_certificate(own)
            for one in others:
                self.add_extra_chain_cert(one)
            self.use_privatekey(certificate.key)
        except SSL.Error as error:
            raise PlanError(f"{certificate.flag}: this TLS library does not take it: {reason_of(error)}") from None


def _asked_for(_stream: Any, handle: Any) -> int:
    ffi.from_handle(handle)[0] = True
    return 1


# OpenSSL calls it when a server asks for a certificate.
_note_request = ffi.callback("int(SSL *, void *)", _asked_for)


def client_context(
    host: str, cacert: str | None, insecure: bool, alpn: tuple[bytes, ...] = (), settings: TlsSettings = DEFAULT_TLS,
    certificate: ClientCertificate | None = None, like: ClientContext | None = None, cacert_flag: str = "--cacert",
) -> ClientContext:  # fmt: skip
    """A context that trusts the system's authorities, or only those in `cacert`, and checks the name `host`.

    alpn: protocols to offer (RFC 7301), the preferred one first; empty for no such extension. like: another context,
    whose authorities it shares, as reading them takes long. cacert_flag: the option that `cacert` is of. Raises
    PlanError where one of these can't be used.
    """
    context = ClientContext(certificate)
    low, high = settings.versions
    context.set_min_proto_version(VERSIONS[low])
    context.set_max_proto_version(VERSIONS[high])
    # The policy decides which session is offered, so there is no cache.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    _set_groups(context, settings.groups or _GROUPS)
    if settings.ciphers:
        _set_ciphers(context, settings.ciphers)
    if not settings.tickets:
        context.set_options(lib.SSL_OP_NO_TICKET)
    if alpn:
        context.set_alpn_protos(list(alpn))
    log_keys(context)
    if insecure:
        context.set_verify(SSL.VERIFY_NONE)
    else:
        _trust(context, cacert, like, cacert_flag)
        _expect_name(context, host)
    return context


def check_hello(context: SSL.Context, settings: TlsSettings) -> None:
    """Raise PlanError where no handshake can come of it: a version that has none of the groups or ciphers, say."""
    groups = (settings.groups or _GROUPS).split(":")
    if settings.versions[1] == "1.2" and all(_POST_QUANTUM.search(one) for one in groups):
        raise PlanError(
            f"--groups {settings.groups}: TLS 1.2 has no such group; add one that it has, as in {groups[0]}:X25519"
        )
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return
    except SSL.Error as error:
        flags = " ".join(
            f"{flag} {value}"
            for flag, value in (
                ("--tls-version", settings.version), ("--groups", settings.groups), ("--ciphers", settings.ciphers)
            )
            if value
        )  # fmt: skip
        raise PlanError(f"no TLS handshake can begin with {flags}: {reason_of(error)}") from None


def _set_groups(context: ClientContext, groups: str) -> None:
    if lib.SSL_CTX_set1_curves_list(context._context, groups.encode()) == 1:
        return
    names = groups.split(":")
    unknown = next((one for one in names if lib.SSL_CTX_set1_curves_list(context._context, one.encode()) != 1), groups)
    lib.ERR_clear_error()
    raise PlanError(f"--groups: {_library()} knows no group {unknown!r}, or has it twice; write them like X25519:P-256")


def _set_ciphers(context: ClientContext, ciphers: str) -> None:
    """Each version keeps its own suites where none of them is named."""
    names = ciphers.split(":")
    for of_1_3 in (True, False):
        own = [one for one in names if one.startswith(_OF_TLS_1_3) is of_1_3]
        for one in own:
            if not _is_known(one, of_1_3=of_1_3):
                raise PlanError(f"--ciphers: {_library()} knows no cipher {one!r}; `openssl ciphers` lists the names")
        if own:
            text = ":".join(own).encode()
            set_list = lib.SSL_CTX_set_ciphersuites if of_1_3 else lib.SSL_CTX_set_cipher_list
            if set_list(context._context, text) != 1:
                lib.ERR_clear_error()
                raise PlanError(f"--ciphers {ciphers[:60]} leaves no cipher")


def _is_known(name: str, *, of_1_3: bool) -> bool:
    """Alone, so that it can't hide among others that are known: OpenSSL leaves those out that it does not know."""
    if not of_1_3 and _COMMAND.match(name):
        return True
    alone = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if of_1_3:
        lib.SSL_CTX_set_ciphersuites(alone._context, name.encode())
        known = name in SSL.Connection(alone, None).get_cipher_list()
    else:
        known = lib.SSL_CTX_set_cipher_list(alone._context, _SIGNS.sub("", name).encode()) == 1
    lib.ERR_clear_error()
    return known


def _trust(context: ClientContext, cacert: str | None, like: ClientContext | None, flag: str) -> None:
    if like is not None:
        store = lib.SSL_CTX_get_cert_store(like._context)
        lib.X509_STORE_up_ref(store)  # each context frees it once
        lib.SSL_CTX_set_cert_store(context._context, store)
    elif cacert is None:
        context.set_default_verify_paths()
    else:
        try:
            context.load_verify_locations(cacert)
        except SSL.Error:
            raise PlanError(f"{flag} {cacert}: no PEM certificate can be read from it") from None
    context.set_verify(SSL.VERIFY_PEER)


def _expect_name(context: ClientContext, host: str) -> None:
    parameters = lib.SSL_CTX_get0_param(context._context)
    try:
        packed = ipaddress.ip_address(host).packed
    except ValueError:
        lib.X509_VERIFY_PARAM_set1_host(parameters, host.encode("ascii"), 0)
    else:
        lib.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))


def _library() -> str:
    return " ".join(SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode().split()[:2])
