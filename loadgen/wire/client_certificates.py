"""Client certificates and their keys, read from PEM and PKCS#12 files before any connection is tried. Opens none.

No message here holds a passphrase or a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs12

from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import read_input
from loadgen.model.tls_settings import TlsSettings
from loadgen.model.tls_value_types import read_secret

_MAX_BYTES = 16 << 20
_PASSPHRASE = "--key-passphrase"  # noqa: S105 # the option's name
_HOW = f"give {_PASSPHRASE} env:NAME or file:PATH"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who a client is."""

    chain: tuple[x509.Certificate, ...]
    """Its certificate first, then those of authorities between it and one that the server knows."""
    key: Any = None
    """Its private key."""


def load_certificates(settings: TlsSettings) -> tuple[ClientCertificate, ...]:
    """The certificates that users take in turns. Raises PlanError where one can't be used."""
    secret = None if settings.passphrase is None else read_secret(settings.passphrase, _PASSPHRASE).encode()
    keys = settings.keys or (None,) * len(settings.certs)
    now = datetime.now(UTC)
    return tuple(_load(cert, key, secret, now) for cert, key in zip(settings.certs, keys, strict=True))


def _load(cert: str, key: str | None, secret: bytes | None, now: datetime) -> ClientCertificate:
    content = read_input(Path(cert), "--cert", _MAX_BYTES)
    found = _read_pem(cert, content) if b"-----BEGIN" in content else _read_pkcs12(cert, content, secret)
    if key is not None:
        private = _read_key(f"--key {key}", read_input(Path(key), "--key", _MAX_BYTES), secret)
    elif found.key is not None:
        private = found.key
    elif b"PRIVATE KEY-----" in content:
        private = _read_key(f"--cert {cert}", content, secret)
    else:
        raise PlanError(f"--cert {cert} holds no private key; give the file that does with --key")
    own = found.chain[0]
    _check_fits(own, private, cert, key)
    _check_dates(own, cert, now)
    return ClientCertificate(found.chain, private)


def _read_pem(cert: str, content: bytes) -> ClientCertificate:
    try:
        return ClientCertificate(tuple(x509.load_pem_x509_certificates(content)))
    except ValueError:
        raise PlanError(f"--cert {cert}: no certificate can be read from this PEM file") from None


def _read_pkcs12(cert: str, content: bytes, secret: bytes | None) -> ClientCertificate:
    try:
        private, own, others = pkcs12.load_key_and_certificates(content, secret)
    except ValueError as error:
        if "password" not in str(error).lower():
            raise PlanError(f"--cert {cert} is neither PEM nor PKCS#12") from None
        what = "needs a passphrase, or another format" if secret is None else "does not open with this passphrase"
        raise PlanError(f"--cert {cert} {what}; {_HOW}") from None
    except UnsupportedAlgorithm as error:
        raise PlanError(f"--cert {cert}: {error}") from None
    if own is None and private is None:  # without a key the file does not say which one is the client's
        own = next((one for one in others if not any(one.subject == other.issuer for other in others)), None)
    if own is None:
        raise PlanError(f"--cert {cert} holds no certificate that its key fits, as a client's PKCS#12 file must")
    return ClientCertificate((own, *_in_order(own, others)), private)


def _in_order(own: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Each certificate followed by its issuer's (RFC 8446 §4.4.2): PKCS#12 has no order of its own."""
    by_subject = {one.subject: one for one in others}
    chain = []
    last = own
    while (issuer := by_subject.pop(last.issuer, None)) is not None:
        chain.append(issuer)
        last = issuer
    return chain


def _read_key(where: str, content: bytes, secret: bytes | None) -> Any:
    try:
        return _decrypt(content, secret)
    except TypeError:  # which is encrypted, and there is no passphrase
        raise PlanError(f"{where} is encrypted; {_HOW}") from None
    except ValueError:
        if b"PRIVATE KEY-----" not in content:
            raise PlanError(f"{where} holds no private key in PEM") from None
        why = "does not open with this passphrase" if b"ENCRYPTED" in content else "holds a private key that is broken"
        raise PlanError(f"{where} {why}") from None
    except UnsupportedAlgorithm as error:
        raise PlanError(f"{where}: {error}") from None


def _decrypt(content: bytes, secret: bytes | None) -> Any:
    """A key that is not encrypted needs no passphrase: of several certificates some may have one."""
    if secret is not None:
        try:
            return load_pem_private_key(content, secret)
        except TypeError:
            pass
    return load_pem_private_key(content, None)


def _check_fits(own: x509.Certificate, private: Any, cert: str, key: str | None) -> None:
    try:
        same = _bytes_of(own.public_key()) == _bytes_of(private.public_key())
    except (UnsupportedAlgorithm, ValueError) as error:
        raise PlanError(f"--cert {cert}: {error}") from None
    if not same:
        raise PlanError(f"the private key in {key or cert} does not fit the certificate in {cert}")


def _bytes_of(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _check_dates(own: x509.Certificate, cert: str, now: datetime) -> None:
    """Refuse what a server would: a run with it measures nothing but refusals."""
    if now > own.not_valid_after_utc:
        raise PlanError(f"--cert {cert} expired on {own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; give a valid one")
    if now < own.not_valid_before_utc:
        raise PlanError(f"--cert {cert} is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
