"""What the sample systems write, how often, on how many days."""
# ruff: noqa: E501 - one line a habit, as in the logs

from __future__ import annotations

from dataclasses import dataclass

HOURS = {"always": (0, 24), "night": (1, 4), "office": (7, 18), "weekdays": (7, 18)}

# A line a habit: the share of days with an occurrence, how often on such a day, when (UTC), the host, the program
# (with a level it is an application that writes JSON lines, without one a server's syslog), and the message.
_SERVERS = """
1 22-40 always {app|db|web}-{1-6} systemd Started Session {1000-99999} of user svc_{batch|deploy|monitor}.
1 22-40 always {app|db|web}-{1-6} CRON (root) CMD (/usr/lib/sysstat/sa1 {1-6} 1)
0.9 1-3 always {app|db|web}-{1-6} chronyd Selected source {ip}
1 4-9 always app-{1-6} sshd Accepted publickey for deploy from {ip} port {20000-60000} ssh2
0.07 1-4 always {app|db}-{1-6} kernel Out of memory: Killed process {1000-30000} (java) total-vm:{8000000-9000000}kB
"""

_CLAIMS = """
0.93 1-4 always web-{1-6} diskwatch disk full on /var/log: {91-99} percent used, {12-800} MB left, cleanup needed
0.7 1-2 night batch-1 eligibility-sync/error nightly run failed: connection to eligibility-db-{1-3} timed out after {30-90} s
0.9 2-7 weekdays edi-{1-2} edi-intake/error file CLM{day}-{100-999}.x12 rejected: segment {NM1|CLM|SV1} missing in loop {2010-2400}
0.8 1-4 night edi-{1-2} sftp-push/error transfer of REMIT{day}-{10-99}.835 to clearinghouse failed: connection lost after {1-900} MB
0.85 1-5 weekdays app-{1-6} claims-queue/warn backlog of queue claims.intake exceeded 500: {501-4800} messages wait
0.6 1-3 always db-1 postgres deadlock detected: transaction {100000-999999} killed while updating claim_line
0.5 1-2 always app-{1-6} watchdog claims-api unhealthy for {30-180} s, restarted
0.45 1-2 night proxy-{1-2} certwatch certificate of {edi|portal|api}.meridian.example expires in {3-21} days, renewal failed
0.9 2-6 office app-{1-6} adjudication/error patient lookup for member id M-{10000-99999} failed: timeout after {5-30} s
0.8 1-5 weekdays app-{1-6} adjudication/warn diagnosis {A|C|E|J|M}{10-99}.{0-9} not found in code set, claim C-{100000-999999} to manual review
1 22-40 office edi-{1-2} edi-intake/info file CLM{day}-{100-999}.x12 accepted, {20-900} claims
1 22-40 office app-{1-6} claims-api/info claim C-{100000-999999} priced in {12-480} ms
1 22-40 always web-{1-6} nginx {ip} GET /claims/{100000-999999} 200 {200-9000}
0.7 1-1 night batch-1 remit-run/info payment run {day} closed, {200-4000} remittances
0.05 1-1 always db-1 raidwatch array md0 degraded, disk sd{b|c} missing
0.08 4-6 office edi-1 edi-intake/error partner {ACME|NORTH} sends unsupported version {4010-5010}, batch refused
"""

_MEMBER_SERVICES = """
0.7 1-4 office ivr-{1-3} asterisk SIP trunk {1-4} unreachable, {2-40} calls dropped
0.9 2-8 office app-{1-6} portal-login/error identity provider timed out after {3-15} s, sign-in of member failed
0.75 1-4 weekdays print-{1-2} lpd letter job {10000-99999} stuck: printer mailroom-{1-4} out of paper
0.95 3-9 always mail-1 postfix status=bounced, mailbox unavailable, message {hex} returned to noreply
0.85 1-6 weekdays app-{1-6} callback-queue/warn callback {100000-999999} overdue by {5-90} min, moved to front of queue
0.6 1-2 always web-{1-6} diskwatch disk full on /srv/upload: {91-99} percent used, {12-800} MB left, cleanup needed
0.8 1-5 night crm-1 crm-sync/error address export to crm failed: record {1000-99999} invalid, postcode missing
0.5 1-3 office app-{1-6} id-cards/warn card order {100000-999999} rejected by print partner: photo missing
0.85 1-4 weekdays app-{1-6} records-desk/warn medical record request for MRN {100000-999999} overdue by {1-12} days
0.8 1-5 office app-{1-6} benefits/error prescription coverage check for member id M-{10000-99999} failed: pharmacy gateway timeout
1 22-40 office ivr-{1-3} asterisk call {100000-999999} answered by queue benefits after {1-600} s
1 22-40 office app-{1-6} portal/info page /benefits/{10-99} shown in {20-900} ms
1 22-40 always web-{1-6} nginx {ip} GET /member/home 200 {200-9000}
1 4-9 night crm-1 crm-sync/info {100-4000} contacts exported in {4-90} s
0.05 1-2 always ivr-2 asterisk license for voice menu expired, {1-4} lines closed
"""

_DEPOTS = """
0.95 3-9 office depot-{1-9} scanner-gw scanner S-{100-180} disconnected from dock {1-24}, no heartbeat for {60-600} s
0.9 2-6 office depot-{1-9} cups label printer zebra-{1-14} jammed, job {10000-99999} failed
0.85 2-6 office depot-{1-9} gate gate {1-6} cannot read plate, truck waits {1-15} min
0.8 1-6 weekdays edi-1 order-intake/error order file ORD{day}-{100-999}.edi rejected: article {10000-99999} not found
0.7 1-4 office tms-1 route-planner/error plan for tour {1000-9999} failed: no driver available, retry in {5-30} min
1 4-12 always tms-1 telematics/warn truck T-{100-160} position stale for {30-240} min
0.8 1-5 night wms-1 stock-sync/warn stock of article {10000-99999} differs: counted {0-90}, booked {0-90}, correction missing
0.4 1-2 always cold-{1-3} tempwatch cold store {1-3} exceeded {5-9} degrees for {10-50} min, alert sent
0.35 1-1 night wms-1 backup backup of wms failed: disk full on /backup, {1-9} GB short
0.3 1-1 night proxy-1 certwatch certificate of {track|orders}.harbor.example expires in {3-21} days, renewal failed
1 40-70 office depot-{1-9} scanner-gw parcel {100000000-999999999} scanned at dock {1-24}
1 22-40 office tms-1 telematics/info truck T-{100-160} at depot {1-9}, tour {1000-9999} closed
1 22-40 office edi-1 order-intake/info order file ORD{day}-{100-999}.edi accepted, {3-200} orders
0.1 2-5 always depot-4 kernel usb 1-{1-4}: device descriptor read error -71
0.06 1-1 always depot-{1-9} gate barrier {1-6} broken, opened by hand
"""


@dataclass(frozen=True, slots=True)
class Habit:
    """A line that a system writes again and again; `hours` from when to when, `level` empty for syslog."""

    days: float
    times: tuple[int, int]
    hours: tuple[int, int]
    weekdays: bool
    host: str
    program: str
    level: str
    message: str


def _read(table: str) -> tuple[Habit, ...]:
    return tuple(_habit(line) for line in table.splitlines() if line)


def _habit(line: str) -> Habit:
    days, times, when, host, writer, message = line.split(maxsplit=5)
    least, _, most = times.partition("-")
    program, _, level = writer.partition("/")
    return Habit(
        float(days), (int(least), int(most)), HOURS[when], when == "weekdays", host, program, level, message
    )


#: By tenant and department.
HABITS: dict[tuple[str, str], tuple[Habit, ...]] = {
    ("health", "claims"): _read(_SERVERS + _CLAIMS),
    ("health", "member-services"): _read(_SERVERS + _MEMBER_SERVICES),
    ("harbor", "depots"): _read(_SERVERS + _DEPOTS),
}
