"""The options about TLS with the target, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import SWEEP, TO_TARGET, LocustArgument, Option, OptionGroup
from loadgen.model.tls_value_types import (
    CIPHERS,
    GROUPS,
    AlpnProtocols,
    CertificateFiles,
    SecretSource,
    ServerName,
    TlsVersions,
)
from loadgen.model.value_types import Flag

_LOCUST = LocustArgument()
_TEXT = LocustArgument(default="")

TLS_OPTIONS: tuple[Option, ...] = (
    Option(
        name="cert", group=OptionGroup.TLS, short="-E", type=CertificateFiles("--cert"), plan_field="tls.certs",
        recorded="client_certificates", default=(), metavar="FILE", plural="certs", commands=TO_TARGET,
        help="Client certificate with its chain, and its key unless --key has it: PEM or PKCS#12; repeated, users take "
        "them in turns.",
        locust=_LOCUST,
    ),
    Option(
        name="key", group=OptionGroup.TLS, type=CertificateFiles("--key"), plan_field="tls.keys",
        recorded="client_keys", default=(), metavar="FILE", plural="keys", commands=TO_TARGET,
        help="Private key of --cert in PEM; one for each of several.", locust=_LOCUST,
    ),
    Option(
        name="key_passphrase", group=OptionGroup.TLS, type=SecretSource(), plan_field="tls.passphrase",
        recorded="key_passphrase", is_implicit=True, metavar="env:NAME|file:PATH", commands=TO_TARGET,
        help="Where the passphrase of the keys is: a variable of the environment, or the first line of a file.",
        locust=_TEXT,
    ),
    Option(
        name="tls_version", group=OptionGroup.TLS, type=TlsVersions(), plan_field="tls.version",
        recorded="tls_version", is_axis=True, is_implicit=True, metavar="VERSION", commands=TO_TARGET,
        help="Offer this version of TLS, 1.2 or 1.3, or both: 1.2-1.3.",
        differs={SWEEP: {"metavar": "VERSION,...", "help": "Versions of TLS to offer: 1.2, 1.3, 1.2-1.3."}},
        locust=_TEXT,
    ),
    Option(
        name="ciphers", group=OptionGroup.TLS, type=CIPHERS, plan_field="tls.ciphers", is_implicit=True,
        metavar="A:B", commands=TO_TARGET,
        help="Cipher suites to offer, by OpenSSL's names; those of TLS 1.3 begin with TLS_.", locust=_TEXT,
    ),
    Option(
        name="groups", group=OptionGroup.TLS, type=GROUPS, plan_field="tls.groups", is_axis=True, is_implicit=True,
        metavar="A:B", commands=TO_TARGET,
        help="Groups of the key exchange to offer, like X25519:P-256 or X25519MLKEM768; the first one brings a share.",
        differs={SWEEP: {"metavar": "A:B,...", "help": "Groups of the key exchange to offer, like "
                          "X25519,P-256,X25519MLKEM768; a colon joins those of one cell."}},
        locust=_TEXT,
    ),
    Option(
        name="alpn", group=OptionGroup.TLS, type=AlpnProtocols(), plan_field="tls.alpn", is_implicit=True,
        metavar="A,B|none", commands=TO_TARGET,
        help="Protocols that ALPN offers; those of the policy if unset.", locust=_TEXT,
    ),
    Option(
        name="sni", group=OptionGroup.TLS, type=ServerName(), plan_field="tls.sni", is_implicit=True,
        metavar="NAME|none", commands=TO_TARGET,
        help="Name that the handshake asks for, and that the certificate must have; none: do not ask for one.",
        locust=_TEXT,
    ),
    Option(
        name="tickets", group=OptionGroup.TLS, type=Flag(), plan_field="tls.tickets", default=True,
        commands=TO_TARGET, help="Take session tickets.", locust=_LOCUST,
    ),
)  # fmt: skip
