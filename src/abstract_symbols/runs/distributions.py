"""Runs that look at a trained network's outputs on unseen strings: their distribution, and its answers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from ..ensembles import Member
from ..templates import TemplateTask
from .training import Run


def distinct_strings(t: TemplateTask, template: int, symbols: range) -> Tensor:
    """As many strings of a template as there are symbols for, no symbol used twice: (n, k) token ids.

    Their outputs are independent where the network's distribution does not depend on the symbols' names.
    Source: the chapter "Why fully-connected networks cannot".
    """
    z = t.templates[template]
    n = len(symbols) // max(1, len(z.wildcards))
    values = torch.arange(symbols.start, symbols.start + n * len(z.wildcards)).view(n, len(z.wildcards))
    columns = [values[:, z.wildcards.index(c)] if c in z.wildcards else torch.full((n,), t.regular.index(c))
               for c in z.pattern]
    return torch.stack(columns, dim=1)


@dataclass(frozen=True)
class OutputDistributionRun(Run):
    """One trained network, and whether its outputs on unseen strings of the first two templates have one distribution.

    The test alphabet's symbols are dealt out, each to one string, half of them to each template; p_value is that of the
    two-sample Kolmogorov–Smirnov test between the outputs. Given the trained weights, the outputs of an MLP are then
    independent draws, so that the test is exact for a single run. Other fields and metrics: `Run`'s.

    Source: section 3, the MLP theorem; the chapter "Why fully-connected networks cannot".
    """

    METRICS: ClassVar[dict[str, type]] = {**Run.METRICS, "p_value": float, "statistic": float, "spread": float}

    def outputs(self, member: Member) -> list[np.ndarray]:
        """The network's outputs on unseen strings of each of the first two templates."""
        unseen, half = member.test.alphabet, len(member.test.alphabet) // 2
        alphabets = unseen[:half], unseen[half:]
        device = next(member.network.parameters()).device
        with torch.no_grad():
            return [member.network(distinct_strings(member.test.task, i, symbols).to(device)).double().cpu().numpy()
                    for i, symbols in enumerate(alphabets)]

    def measure_network(self, member: Member) -> dict[str, float]:
        """p_value and statistic of the test, and spread, the standard deviation of all outputs."""
        outputs = self.outputs(member)
        test = stats.ks_2samp(*outputs, method="asymp")
        return {"p_value": float(test.pvalue), "statistic": float(test.statistic),
                "spread": float(np.concatenate(outputs).std())}


@dataclass(frozen=True)
class AnswerRun(Run):
    """One trained network with symbolic answers, and what it answers to the test strings: shares of them.

    other: not the label but another of the string's symbols that stand for wildcards; neither: none of them. Taken
    with the last epoch's weights. Other fields and metrics: `Run`'s.

    Source: section 4, symbolic labels; the experiment `program-symbolic`.
    """

    METRICS: ClassVar[dict[str, type]] = {**Run.METRICS, "other": float, "neither": float}

    def measure_network(self, member: Member) -> dict[str, float]:
        """The metrics of the trained network."""
        sample, device = member.test, next(member.network.parameters()).device
        with torch.no_grad():
            answers = torch.cat([member.network(rows.to(device)).argmax(-1).cpu() for rows in sample.tokens.split(256)])
        right = answers == sample.labels
        in_string = (sample.tokens == answers[:, None]).any(1) & (answers >= len(sample.task.regular))
        return {"other": float((in_string & ~right).double().mean()), "neither": float((~in_string).double().mean())}
