"""Client certificates for the tests: files as users have them, signed by an authority of the tests' own."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

PASSPHRASE = "correct horse"


@lru_cache
def client_authority() -> trustme.CA:
    """What servers must trust so that they take the certificates of `issue`."""
    return trustme.CA(organization_name="clients")


@lru_cache
def issue(name: str, until: datetime | None = None, since: datetime | None = None) -> trustme.LeafCert:
    """A certificate whose subject's common name is `name`."""
    return client_authority().issue_cert(common_name=name, not_after=until, not_before=since)


class Files(NamedTuple):
    """A certificate with its chain, and its key, in PEM."""

    cert: Path
    key: Path


def write_pem(folder: Path, name: str, passphrase: str = "", until: datetime | None = None) -> Files:
    """The files `NAME.pem` and `NAME.key`; with a passphrase the key is encrypted."""
    leaf = issue(name) if until is None else issue(name, until)  # one certificate for each name
    files = Files(folder / f"{name}.pem", folder / f"{name}.key")
    files.cert.write_bytes(b"".join(one.bytes() for one in leaf.cert_chain_pems))
    files.key.write_bytes(key_pem(leaf, passphrase))
    return files


def key_pem(leaf: trustme.LeafCert, passphrase: str = "") -> bytes:
    """Its private key."""
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    wrapped = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, wrapped)


def write_pkcs12(folder: Path, name: str, passphrase: str = "", *, has_key: bool = True) -> Path:
    """The file `NAME.p12`, with the authority's certificate too."""
    leaf = issue(name)
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None) if has_key else None
    own = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    authority = x509.load_pem_x509_certificate(client_authority().cert_pem.bytes())
    wrapped = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    file = folder / f"{name}.p12"
    file.write_bytes(pkcs12.serialize_key_and_certificates(name.encode(), key, own, [authority], wrapped))  # type: ignore[arg-type] # trustme's keys are of a kind that it takes
    return file
