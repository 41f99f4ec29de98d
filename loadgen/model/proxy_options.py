"""The options about proxies on the way to the target, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import TO_TARGET, LocustArgument, Option, OptionGroup
from loadgen.model.plan_value_types import Certificates, ProxyUrl
from loadgen.model.proxy_value_types import Hosts
from loadgen.model.tls_value_types import CertificateFiles, SecretSource
from loadgen.model.value_types import Flag, OptionalWhole

PROXY_OPTIONS: tuple[Option, ...] = (
    Option(
        name="proxy", group=OptionGroup.TARGET, short="-x", type=ProxyUrl(), plan_field="proxy", is_implicit=True,
        metavar="URL", commands=TO_TARGET, locust=LocustArgument(default=""),
        help="Go through this proxy: http, https, socks5 or socks5h://[user:password@]host[:port].",
    ),
    Option(
        name="proxy_cacert", group=OptionGroup.TLS, type=Certificates("--proxy-cacert"), plan_field="proxying.cacert",
        recorded="proxy_cacert", is_implicit=True, metavar="FILE", commands=TO_TARGET,
        locust=LocustArgument(default=""),
        help="For an https proxy: trust only the authorities in this PEM file.",
    ),
    Option(
        name="proxy_insecure", group=OptionGroup.TLS, type=Flag(), plan_field="proxying.insecure",
        recorded="proxy_insecure", default=False, commands=TO_TARGET, locust=LocustArgument(),
        help="Do not verify the certificate of an https proxy.",
    ),
    Option(
        name="proxy_cert", group=OptionGroup.TLS, type=CertificateFiles("--proxy-cert"), plan_field="proxying.certs",
        recorded="proxy_certificates", default=(), metavar="FILE", plural="proxy-certs", commands=TO_TARGET,
        help="For an https proxy: client certificate, as --cert is for the target.",
        locust=LocustArgument(),
    ),
    Option(
        name="proxy_key", group=OptionGroup.TLS, type=CertificateFiles("--proxy-key"), plan_field="proxying.keys",
        recorded="proxy_keys", default=(), metavar="FILE", plural="proxy-keys", commands=TO_TARGET,
        help="Private key of --proxy-cert in PEM; one for each of several.", locust=LocustArgument(),
    ),
    Option(
        name="proxy_key_passphrase", group=OptionGroup.TLS, type=SecretSource(), plan_field="proxying.passphrase",
        recorded="proxy_key_passphrase", is_implicit=True, metavar="env:NAME|file:PATH", commands=TO_TARGET,
        help="Where the passphrase of these keys is: a variable of the environment, or the first line of a file.",
        locust=LocustArgument(default=""),
    ),
    Option(
        name="no_proxy", group=OptionGroup.TARGET, type=Hosts(), plan_field="proxying.no_proxy", default=(),
        is_implicit=True, metavar="HOSTS", commands=TO_TARGET, locust=LocustArgument(default=""),
        help="Reach these hosts without the proxy: names, addresses, networks, separated by commas; * for all.",
    ),
    Option(
        name="proxy_protocol", group=OptionGroup.CONNECTIONS, type=OptionalWhole(1, 2), plan_field="proxying.protocol",
        recorded="proxy_protocol", is_implicit=True, metavar="1|2", commands=TO_TARGET,
        url_only="the embedded target reads one as `loadgen target --proxy-protocol`, served by hand",
        locust=LocustArgument(),
        help="Begin each connection with a header of the PROXY protocol, version 1 or 2, as a balancer does.",
    ),
)  # fmt: skip
PROXYING = tuple(option.name for option in PROXY_OPTIONS)
"""The names of these options."""
