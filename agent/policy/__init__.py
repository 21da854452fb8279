"""May this call run? Data, not code: `policy.yaml` says it, and `default.yaml` here is what holds without one.

Capabilities (tool x role x tenant) grant; rules restrict. The strictest verdict wins, what nothing grants is refused,
and a refusal cannot be approved away.

policy = load_policy(path, tools)            # at start; raises `InvalidPolicy` with file and line
policy.may_see(tool, roles, tenant_id=...)   # whether the tool is in a prompt at all
policy.decide(Request(...), used)            # synchronous; `used` is what `agent/policy/limits.py` read, if it must
"""

from agent.policy.decide import DECIDES, Policy
from agent.policy.load import InvalidPolicy, default_policy, load_policy
from agent.policy.request import Decision, Request, Used, Verdict

__all__ = [
    "DECIDES",
    "Decision",
    "InvalidPolicy",
    "Policy",
    "Request",
    "Used",
    "Verdict",
    "default_policy",
    "load_policy",
]
