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

from loadgen.model.client_identity import ClientIdentity
from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import read_input
from loadgen.model.tls_value_types import read_secret

_MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who a client is."""

    chain: tuple[x509.Certificate, ...]
    """Its certificate first, then those of authorities between it and one that the server knows."""
    key: Any = None
    """Its private key."""
    flag: str = "--cert"
    """The option that its file was given by."""


def load_certificates(identity: ClientIdentity) -> tuple[ClientCertificate, ...]:
    """The certificates that users take in turns. Raises PlanError where one can't be used."""
    passphrase = identity.passphrase
    secret = None if passphrase is None else read_secret(passphrase, identity.flag("key-passphrase")).encode()
    keys = identity.keys or (None,) * len(identity.certs)
    now = datetime.now(UTC)
    return tuple(_Files(identity, cert, key, secret).load(now) for cert, key in zip(identity.certs, keys, strict=True))


@dataclass(frozen=True, slots=True)
class _Files:
    """Those of one certificate. key: None where the certificate's own file has it."""

    identity: ClientIdentity
    cert: str
    key: str | None
    secret: bytes | None

    @property
    def named(self) -> str:
        """The certificate's file, as messages call it."""
        return f"{self.identity.flag('cert')} {self.cert}"

    @property
    def how(self) -> str:
        """What to do where a passphrase is missing, or another."""
        return f"give {self.identity.flag('key-passphrase')} env:NAME or file:PATH"

    def load(self, now: datetime) -> ClientCertificate:
        content = read_input(Path(self.cert), self.identity.flag("cert"), _MAX_BYTES)
        found = self._read_pem(content) if b"-----BEGIN" in content else self._read_pkcs12(content)
        if self.key is not None:
            flag = self.identity.flag("key")
            private = self._read_key(f"{flag} {self.key}", read_input(Path(self.key), flag, _MAX_BYTES))
        elif found.key is not None:
            private = found.key
        elif b"PRIVATE KEY-----" in content:
            private = self._read_key(self.named, content)
        else:
            raise PlanError(
                f"{self.named} holds no private key; give the file that does with {self.identity.flag('key')}"
            )
        self._check_fits(found.chain[0], private)
        self._check_dates(found.chain[0], now)
        return ClientCertificate(found.chain, private, self.identity.flag("cert"))

    def _read_pem(self, content: bytes) -> ClientCertificate:
        try:
            return ClientCertificate(tuple(x509.load_pem_x509_certificates(content)))
        except ValueError:
            raise PlanError(f"{self.named}: no certificate can be read from this PEM file") from None

    def _read_pkcs12(self, content: bytes) -> ClientCertificate:
        try:
            private, own, others = pkcs12.load_key_and_certificates(content, self.secret)
        except ValueError as error:
            if "password" not in str(error).lower():
                raise PlanError(f"{self.named} is neither PEM nor PKCS#12") from None
            is_missing = self.secret is None
            what = "needs a passphrase, or another format" if is_missing else "does not open with this passphrase"
            raise PlanError(f"{self.named} {what}; {self.how}") from None
        except UnsupportedAlgorithm as error:
            raise PlanError(f"{self.named}: {error}") from None
        if own is None and private is None:  # without a key the file does not say which one is the client's
            own = next((one for one in others if not any(one.subject == other.issuer for other in others)), None)
        if own is None:
            raise PlanError(f"{self.named} holds no certificate that its key fits, as a client's PKCS#12 file must")
        return ClientCertificate((own, *_in_order(own, others)), private)

    def _read_key(self, where: str, content: bytes) -> Any:
        try:
            return _decrypt(content, self.secret)
        except TypeError:  # which is encrypted, and there is no passphrase
            raise PlanError(f"{where} is encrypted; {self.how}") from None
        except ValueError:
            if b"PRIVATE KEY-----" not in content:
                raise PlanError(f"{where} holds no private key in PEM") from None
            is_locked = b"ENCRYPTED" in content
            why = "does not open with this passphrase" if is_locked else "holds a private key that is broken"
            raise PlanError(f"{where} {why}") from None
        except UnsupportedAlgorithm as error:
            raise PlanError(f"{where}: {error}") from None

    def _check_fits(self, own: x509.Certificate, private: Any) -> None:
        try:
            same = _bytes_of(own.public_key()) == _bytes_of(private.public_key())
        except (UnsupportedAlgorithm, ValueError) as error:
            raise PlanError(f"{self.named}: {error}") from None
        if not same:
            raise PlanError(f"the private key in {self.key or self.cert} does not fit the certificate in {self.cert}")

    def _check_dates(self, own: x509.Certificate, now: datetime) -> None:
        """Refuse what a server would: a run with it measures nothing but refusals."""
        if now > own.not_valid_after_utc:
            raise PlanError(f"{self.named} expired on {own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; give a valid one")
        if now < own.not_valid_before_utc:
            raise PlanError(f"{self.named} is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")


def _in_order(own: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Each certificate followed by its issuer's (RFC 8446 §4.4.2): PKCS#12 has no order of its own."""
    by_subject = {one.subject: one for one in others}
    chain = []
    last = own
    while (issuer := by_subject.pop(last.issuer, None)) is not None:
        chain.append(issuer)
        last = issuer
    return chain


def _decrypt(content: bytes, secret: bytes | None) -> Any:
    """A key that is not encrypted needs no passphrase: of several certificates some may have one."""
    if secret is not None:
        try:
            return load_pem_private_key(content, secret)
        except TypeError:
            pass
    return load_pem_private_key(content, None)


def _bytes_of(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
