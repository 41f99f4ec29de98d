"""Reads certificates: names, key, validity. Judges none, and trusts none."""

from __future__ import annotations

from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from loadgen.probe.failures import ProbeFailure


def parse_certificate(der: bytes) -> x509.Certificate:
    """Raises ProbeFailure where it is no certificate that can be read."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise ProbeFailure(f"the certificate can't be read: {error}") from None


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that it is for (RFC 9525 §6)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return [
            *names.get_values_for_type(x509.DNSName),
            *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
        ]
    except (ValueError, x509.ExtensionNotFound):
        return []


def key_of(certificate: x509.Certificate) -> tuple[str, int]:
    """The kind of its key and the key's size in bits."""
    try:
        key = certificate.public_key()
    except ValueError:
        return "unknown", 0
    if isinstance(key, RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, EllipticCurvePublicKey):
        return "ECDSA", key.key_size
    if isinstance(key, Ed25519PublicKey):
        return "Ed25519", 256
    return type(key).__name__.strip("_").removesuffix("PublicKey"), 0


def is_linked(chain: list[x509.Certificate]) -> bool:
    """Each certificate was issued by the one behind it (RFC 5246 §7.4.2)."""
    return all(one.issuer == other.subject for one, other in pairwise(chain))
