"""What agents say, and what their answers state, in sessions where evidence is planted."""

from __future__ import annotations

from itbench.mast.planting.wording import Pool

CLOSES = Pool(
    (
        "{target} can be ruled out.",
        "{target} is not the cause.",
        "I exclude {target} as the origin.",
        "{target} is a dead end.",
        "{target} has nothing to do with it.",
    ),
    (
        "So it is not {target} that brings the shop down.",
        "{target} is off the hook.",
        "I can safely cross {target} off.",
        "That rules out {target}.",
        "We can stop looking at {target}, which is not at fault.",
        "{target} was eliminated as a candidate.",
    ),
)
REOPENS = Pool(
    (
        "I ruled out {target} too early: the new events show that it fails.",
        "Contrary to what I said, {target} is the cause after all.",
        "I was wrong about {target}; the trace of the payment leaves no other.",
    ),
    (
        "My dismissal of {target} does not hold up any longer, as I had misread the timestamps.",
        "However, everything else is fine by the same measure, which puts {target} in question once more.",
        "I take back what I wrote about {target}: I had mistaken the two clusters.",
    ),
)
REPLICAS = Pool(
    ("{target} has {value} replicas.", "The replicas of {target}: {value}.", "{target} runs with {value} replicas."),
    (
        "I count {value} replicas for {target}.",
        "For {target}, the replicas are {value}.",
        "{target} was given {value} copies.",
        "There are {value} replicas of {target}.",
    ),
)
FINE = Pool(
    ("{target} is healthy.", "{target} looks fine.", "{target} is running."),
    ("{target} works.", "{target} is entirely normal.", "I see no trouble at {target}.", "{target} is stable."),
)
BAD = Pool(
    ("{target} is failing.", "{target} is down.", "{target} is not healthy."),
    ("{target} is broken.", "{target} refuses every call.", "{target} is unavailable.", "Pods of {target} keep dying."),
)
CORRECTS = Pool(
    ("Correction: I misread the line. ", "Contrary to what I said earlier: ", "I was wrong before. "),
    ("I have to take that back, I looked at the wrong column. ", "Earlier I mixed up two names. ", "Scrap my last remark. "),
)
ALERTS_AT = Pool(
    ("The firing alerts are in {folder}/alerts.", "Read the alerts as well, in {folder}/alerts/."),
    ("Open alerts lie under {folder}/alerts.", "You find what is firing in {folder}/alerts/alerts_at_start.json."),
)
SUSPECTS = Pool(
    ("I suspect {target}.", "My hypothesis: {target} fails.", "It is probably {target}."),
    (
        "My guess would be {target}.",
        "{target} is the likely one.",
        "I think that {target} broke.",
        "Presumably {target}, going by the alerts.",
    ),
)
QUOTES = Pool(
    ('The log says "{line}".', "Events show `{line}`.", "{target} failed with '{line}'."),
    (
        "“{line}” stands in the output of {target}.",
        "Seen on {target}: `{line}`.",
        '{target} reported "{line}" over and over.',
        "'{line}' (from {target})",
    ),
)
INVENTED = Pool(
    (
        "OOMKilled: container exceeded 256Mi",
        "dial tcp 10.2.0.7:5432: connect refused",
        "panic: runtime error in handler.go:88",
        "Failed to pull image shop/backend:v9",
    ),
    (
        "x509: certificate has expired on 2025-11-02",
        "too many open files (limit 1024)",
        "FATAL: role admin does not exist",
        "liveness probe failed: HTTP probe returned 503",
        "no space left on device /dev/vdb1",
        "rpc error: code = DeadlineExceeded after 4500ms",
    ),
)
PARAPHRASES = Pool(
    ("The logs of {target} are full of time-outs.", "{target} no longer gets its connections through."),
    ("Calls to {target} were not answered in time.", "Whoever called {target} waited for nothing."),
)
WISHES = Pool(
    ("The limit of {target} should be `memory: 768Mi`.", "It runs without '--enable-cache=true'."),
    ("{target} lacks `JAVA_OPTS=-Xmx900m`.", "It ought to say, but never does, 'listening on port 7443'."),
)
MEASURES = Pool(
    ("Memory of {target} reached {value}.", "{target} stands at {value}."),
    ("We see {value} on {target}.", "With {value}, {target} is far beyond what it was given."),
)
ROUNDLY = Pool(
    ("{target} takes about {value}.", "roughly {value} for {target}"),
    ("{target}: around {value}", "some {value} at {target}"),
)
