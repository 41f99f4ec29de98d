"""What a client certificate costs shows in `tls`, and a resumed session saves it: one of two targets demands it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loadgen.measure.data.store import RunStore
from loadgen.target.process import EmbeddedTarget
from tests.support.processes import compare
from tests.support.runs import Start


def write_heavy(folder: Path) -> tuple[Path, Path]:
    """A certificate that signed itself, and its key: one of RSA whose signature takes longer than all else."""
    key = rsa.generate_private_key(65537, 3072)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "heavy")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    cert_file, key_file = folder / "heavy.pem", folder / "heavy.key"
    cert_file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


def fastest_handshakes_ns(folder: Path, policies: tuple[str, ...]) -> dict[str, int]:
    """The shortest `tls` under each policy: what the machine's other work adds is in none of them."""
    columns = RunStore.open(folder).load_samples(policies).columns
    durations_ns, numbers = columns["tls"], columns["policy"]
    return {
        name: int(durations_ns[(numbers == number) & (durations_ns >= 0)].min()) for number, name in enumerate(policies)
    }


def test_the_handshake_s_cost_is_in_its_phase(share_target: Start, tmp_path: Path) -> None:
    cert, key = write_heavy(tmp_path)
    demanding = EmbeddedTarget(True, tmp_path, ("--client-ca", str(cert)))
    try:
        summary = compare(
            share_target("--tls").url, tmp_path / "run", "--target", f"demanding={demanding.url}", "--insecure",
            "--users", "1", "--cert", str(cert), "--key", str(key), "--policies", "close,close-resume",
        )  # fmt: skip
    finally:
        demanding.stop()
    policies = summary["policies"]
    for name, one in policies.items():
        made = one["connections"]
        resumed = made["opened"] - made["ideal"] if "resume" in name else 0
        assert (made["tls_resumed"], one["errors"]) == (resumed, {})
        assert one["phases_ns"]["tls"]["count"] == one["requests"] > 0
    fastest_ns = fastest_handshakes_ns(tmp_path / "run", tuple(policies))
    extra_ns = fastest_ns["close · demanding"] - fastest_ns["close · A"]
    extra_resumed_ns = fastest_ns["close-resume · demanding"] - fastest_ns["close-resume · A"]
    assert extra_ns > 500_000  # one signature
    assert extra_ns > 3 * extra_resumed_ns
