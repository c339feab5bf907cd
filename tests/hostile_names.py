"""Names that would run as scripts or break a page, if a page let them."""

from clips import example

from skelgraph import Skeleton
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D

PAYLOADS = [
    "</script><script>alert(1)</script>",
    "<script>alert(1)</script>",
    "</SCRIPT ><svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<img onerror=alert(1) src=https://example.org/x.png>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<body onload=alert(1)>",
    "<meta http-equiv=refresh content=0;url=https://example.org>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    "<base href=https://example.org/>",
    "<object data=https://example.org/x>",
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "{{script}}{{policy}}{{data}}",
    "\u2028alert(1)\u2029",
    "\u202eevil\u202c",
    "\x00\x07\x1b[31m",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\udcff lone surrogates \udc80",
    "<b>" + "x" * 1_000_000,
]


def hostile(payload: str) -> tuple[Pose3D, Keypoints]:
    """The payload as every text that reaches a page, past the checks of the classes that hold it."""
    pose, keypoints = example(2)
    skeleton = Skeleton("custom", pose.skeleton.joints, pose.skeleton.parents, parts={payload: range(17)})
    for value, field, content in (
        (keypoints, "joints", (payload, *keypoints.joints[1:])),
        (keypoints, "source", payload),
        (pose, "skeleton", skeleton),
    ):
        object.__setattr__(value, field, content)
    skeleton.__dict__["joints"] = (payload, *skeleton.joints[1:])
    skeleton.__dict__["name"] = payload
    return pose, keypoints
