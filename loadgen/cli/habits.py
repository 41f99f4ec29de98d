"""What people are used to write for other tools, and loadgen's own words for it. Knows no command.

A flag of wrk, hey, ab, oha or curl that means one thing in all of them is an option of ours (`-c`, `-n`, `-z`, `-u`,
`-x`). Here are the others: those that mean several things, and those that loadgen has another word for.
"""

from __future__ import annotations

from collections.abc import Iterable

_REQUESTS = "write --requests N, which measures exactly N of each policy"
_CLOSE, _PERSISTENT = "write --policies close", "write --policies persistent"
_USERS, _RATE, _PROCESSES = "write --users N", "write --rate R", "write --processes N"
_INSECURE, _TIMEOUT, _BODY = "write --insecure", "write --timeout 10s", "write --data 'TEXT' or --data @FILE"
_CONTENT_TYPE = "write -H 'Content-Type: ...'"
_CSV = "write --export csv"
_MAX_ERRORS = "write --max-errors 1%"
_VERSION = "write loadgen --version"
_URL = "write the URL without a flag"
_LENGTH = "write --duration 10s"
_USER = "write -u USER:PASSWORD"

ANSWERS = {
    "-d": "-d is a duration in wrk and a body in curl, hey and oha; write --duration 10s or --data 'TEXT'",
    "-t": "-t is threads in wrk, a time limit in ab and a timeout in hey and oha; write --processes N, "
    "--duration 10s or --timeout 10s",
    "-k": "-k is insecure in curl and keep-alive in ab; write --insecure or --policies persistent",
    "-m": "-m is a method in hey, ab and oha and a time limit in curl; write -X METHOD or --timeout 10s",
    "-q": "-q is a rate in hey and oha and quiet in ab; write --rate R or --quiet",
    "-s": "-s is silent in curl, a script in wrk and a timeout in ab; write --quiet or --timeout 10s",
    "-o": "write --json to have the summary on standard output, or --out DIR for the run's folder",
    "-a": _USER,
    "-A": f"-A is credentials in ab and the Accept field in hey; {_USER} or -H 'Accept: ...'",
    "-T": f"-T is the type of a body in hey and ab; {_CONTENT_TYPE}",
    "-D": _BODY,
    "-p": "-p is a file to post in ab; write --data @FILE",
    "-L": "loadgen follows no redirect; give the URL that it leads to. All percentiles are in the report",
    "-C": "write -H 'Cookie: ...'",
    "-b": "write -H 'Cookie: ...'",
    "-0": "write --policies http10",
    "-2": "write --policies h2",
    "-i": "write -X HEAD",
    "-I": "write -X HEAD",
    "-e": _CSV,
    "-g": _CSV,
    "-f": _MAX_ERRORS,
    "-l": "nothing has to be given: responses may differ in length",
    "-r": "nothing has to be given: an error is counted, and ends no run. --max-errors 1% fails a run of too many",
    "-w": "write --export FORMAT, or --json for the summary on standard output",
    "-V": _VERSION,
    "--version": _VERSION,
    "-v": f"{_VERSION}; what a server does with connections is shown by `loadgen probe URL`",
    "--compressed": "write -H 'Accept-Encoding: gzip'",
    "--disable-compression": "nothing has to be given: no Accept-Encoding is sent",
    "--disable-redirects": "nothing has to be given: loadgen follows no redirect",
    "--fail": _MAX_ERRORS,
    "--head": "write -X HEAD",
    "--verbose": "nothing has to be given: warnings are shown anyhow, and the report has every number",
    "--http1.1": "nothing has to be given: policies speak HTTP/1.1 unless their name says otherwise",
    "--no-progress-meter": "write --quiet",
    "--no-tui": "write --quiet",
    "--pipelining": "write --policies pipeline:N",
    "--stages": "a run has one load; write loadgen sweep URL --users 1,10,100",
    "--threshold": "write --fail-if 'FIELD > LIMIT'",
    "--thresholds": "write --fail-if 'FIELD > LIMIT'",
    "--max-redirs": "loadgen follows no redirect; give the URL that it leads to",
    "--latency": "all percentiles are in the report, without a flag",
    "--location": "loadgen follows no redirect; give the URL that it leads to",
    "--iterations": _REQUESTS,
    "--amount": _REQUESTS,
    "--count": _REQUESTS,
    "--max-requests": _REQUESTS,
    "--num-requests": _REQUESTS,
    "--number": _REQUESTS,
    "--repeat": "write --rounds N",
    "--runs": "write --rounds N",
    "--concurrency": _USERS,
    "--connections": "each user has a connection of its own; write --users N, or --policies pool:N for a shared pool",
    "--vus": _USERS,
    "--clients": _USERS,
    "--workers": "write --users N for clients at the same time, or --processes N for processes that make the load",
    "--threads": _PROCESSES,
    "--cpus": _PROCESSES,
    "--qps": _RATE,
    "--rps": _RATE,
    "--time": _LENGTH,
    "--timelimit": _LENGTH,
    "--run-time": _LENGTH,
    "--connect-timeout": _TIMEOUT,
    "--body": _BODY,
    "--data-binary": _BODY,
    "--data-raw": _BODY,
    "--request": "write -X METHOD",
    "--content-type": _CONTENT_TYPE,
    "--cookie": "write -H 'Cookie: ...'",
    "--basic-auth": _USER,
    "--auth": _USER,
    "--output": "write --json to have the summary on standard output, or --out DIR for the run's folder",
    "--silent": "write --quiet",
    "--ca-cert": "write --cacert FILE",
    "--skip-verify": _INSECURE,
    "--no-verify": _INSECURE,
    "--insecure-skip-tls-verify": _INSECURE,
    "--http2": "write --policies h2",
    "--http1.0": "write --policies http10",
    "--keepalive": "write --policies persistent, or persistent+tcp-keepalive:T for the probes of TCP",
    "--keep-alive": _PERSISTENT,
    "--persistent": _PERSISTENT,
    "--reuse": _PERSISTENT,
    "--keepalive-time": "write --policies persistent+tcp-keepalive:T",
    "--tcp-fastopen": "options of TCP are parts of a policy, to be compared; write --policies close,close+tcp-fastopen",
    "--tcp-nodelay": "each connection has TCP_NODELAY; to compare, write --policies persistent,persistent+tcp-nagle",
    "--no-tcp-nodelay": "write --policies persistent+tcp-nagle",
    "--linger": "write --policies close+tcp-linger:0",
    "--rcvbuf": "write --policies persistent+tcp-rcvbuf:BYTES",
    "--congestion": "write --policies persistent+tcp-congestion:NAME",
    "--max-idle": "write --policies max-idle:T",
    "--idle-timeout": "write --policies max-idle:T, or honour for what the server announces",
    "--recycle": "write --policies recycle:K, or compare several K by loadgen sweep --recycle",
    "--gap": "write --policies gap:T, or compare several T by loadgen sweep --gap",
    "--connect-rate": "write --policies close+connect-rate:R",
    "--disable-keepalive": _CLOSE,
    "--no-keepalive": _CLOSE,
    "--no-keep-alive": _CLOSE,
    "--no-connection-reuse": _CLOSE,
    "--no-reuse": _CLOSE,
    "--non-persistent": _CLOSE,
    "--close": _CLOSE,
    "--policy": "write --policies NAME,...",
    "--url": _URL,
    "--host": _URL,
    "--unix-socket": "write unix:PATH as the URL, or --connect-to unix:PATH",
    "--abstract-unix-socket": "write unix:@NAME as the URL, or --connect-to unix:@NAME",
    "--socks5": "write -x socks5://HOST:PORT",
    "--socks5-hostname": "write -x socks5h://HOST:PORT",
    "--preproxy": "loadgen goes through one proxy: write -x URL",
    "--haproxy-protocol": "write --proxy-protocol 1",
    "--tlsv1.2": "write --tls-version 1.2-1.3",
    "--tlsv1.3": "write --tls-version 1.3",
    "--tls-max": "write --tls-version 1.2, or 1.2-1.3",
    "--curves": "write --groups A:B",
    "--tls13-ciphers": "write --ciphers A:B; those of TLS 1.3 begin with TLS_",
    "--servername": "write --sni NAME",
    "--pass": "write --key-passphrase env:NAME or file:PATH",
    "--cert-type": "PEM and PKCS#12 are told apart without it",
    "--key-type": "PEM and PKCS#12 are told apart without it",
    "--tls-early-data": "write --policies close,early-data",
    "--dns-servers": "write --dns-server ADDR",
    "--upload-file": "write -X PUT --data @FILE",
    "--form": "loadgen makes no multipart body: write it to a file, and --data @FILE -H 'Content-Type: ...'",
    "--happy-eyeballs-timeout-ms": "write --happy-eyeballs 200ms",
    "--interface": "write --source-ip ADDR",
    "--think-time": "write --think T",
    "--sleep": "write --think T",
}
"""Flag as it is written elsewhere -> what to write here. A flag that a command has itself is never looked up."""

COMMANDS = dict.fromkeys(("run", "bench", "benchmark", "attack", "load", "start", "test"), "compare URL") | {
    **dict.fromkeys(("audit", "check", "doctor", "inspect"), "probe URL"),
    **dict.fromkeys(("serve", "server"), "target"),
    **dict.fromkeys(("list", "ls", "trend"), "history results"),
    "show": "report RUN",
    "help": "--help, or loadgen COMMAND --help",
    "version": "--version",
}
"""Command as it is called elsewhere -> what to write here, after `loadgen`."""

OF_THE_PROGRAM = {"-V": _VERSION, "-v": _VERSION}
"""Flag in the place of a command, for which no command is needed -> what to write here."""


def answer(flag: str, arguments: Iterable[str]) -> str:
    """What to write in place of a flag that a command does not have; empty where it is not known from elsewhere.

    arguments: the whole command line; hey's long flags have one dash, so that a parser finds another flag in them.
    """
    for written in arguments:
        name = written.partition("=")[0]
        long = f"--{name.lstrip('-')}".replace("_", "-")
        if name.startswith(flag) and len(long) > len("--x") and long in ANSWERS:
            return f"{name}: {ANSWERS[long]}"
    found = ANSWERS.get(flag, "")
    return found if not found or found.startswith(flag) else f"{flag}: {found}"
