"""Exploratory numbers of arms, and of their differences, each with its interval."""

from collections.abc import Mapping, Sequence

import pandas as pd

from dermaug.data.class_names import class_words
from dermaug.evaluation.readouts import AUC
from dermaug.report.blocks import Block, Details, Table
from dermaug.report.formats import WEIGHTED, number, with_interval
from dermaug.scoring.target_scores import RULES
from dermaug.scoring.verdict_words import signed
from dermaug.stats.metrics import ALL
from dermaug.stats.target_metrics import CALIBRATION
from dermaug.stats.trainings import GROUPS_ONLY

Place = tuple[str, str, str]
"""Read-out, scope and metric."""
SCOPE_WORDS = {ALL: "Macro AUC", "malignant": "malignant or pre-malignant", "mel": "melanoma"}
OPEN_RULE = "90 % specificity"
"""What is shown unfolded."""
_AT_RULE = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
_ENDING = (
    "Arms, then differences of judged comparisons (first-named minus second), with 95 % intervals, "
    f"not adjusted for their number; without an interval below ten test groups. {WEIGHTED}"
)
_GROUPS_ONLY = " One training per arm: the intervals cover test groups only."


def area_table(decisions: pd.DataFrame) -> Table:
    """AUC of each class and target, and macro AUC, of a table of `decisions`."""
    scopes = decisions.loc[decisions["readout"] == AUC, ["scope", "metric"]].drop_duplicates()
    targets = {ALL: SCOPE_WORDS[ALL], "malignant": SCOPE_WORDS["malignant"]}
    columns = {
        (AUC, str(scope), str(metric)): targets.get(scope, class_words(scope))
        for scope, metric in scopes.itertuples(index=False)
    }
    caption = (
        "Area under the ROC curve, one class against the rest, of the probabilities at the uniform "
        "prior. Exploratory, except macro AUC, whose differences are judged under Verdicts."
    )
    return interval_table(decisions, columns, caption)


def proper_table(decisions: pd.DataFrame) -> Table:
    """Brier score and log loss, and the slope and intercept of each target's calibration."""
    columns = {(CALIBRATION, ALL, "brier"): "Brier", (CALIBRATION, ALL, "nll"): "NLL"}
    for target in dict.fromkeys(decisions.loc[decisions["metric"] == "slope", "scope"]):
        for name in ("slope", "intercept"):
            columns[CALIBRATION, target, name] = f"{SCOPE_WORDS[target].capitalize()}: {name}"
    caption = (
        "Calibration at the natural prevalence. Brier and NLL: lower is better. Slope below 1: "
        "predicted probabilities are too extreme; above 1: too moderate. Intercept, with the slope "
        "held at 1, below 0: they are too high on average (1 and 0 are ideal); both are those of "
        "one fit to all trials. Exploratory."
    )
    return interval_table(decisions, columns, caption)


def rule_blocks(decisions: pd.DataFrame, target: str, prevalence: float) -> list[Block]:
    """A target's rates and predictive values at every rule; all but one folded away.

    Predictive values are given at `prevalence`, the share of the target (malignant or mel).
    """
    tables = {rule: _at_rule(decisions, target, rule, prevalence) for rule in RULES}
    name = SCOPE_WORDS[target].capitalize()
    folded = [
        Details(f"{name}: {_rule_words(rule)}", [table])
        for rule, table in tables.items()
        if rule != OPEN_RULE
    ]
    return [tables[OPEN_RULE], *folded]


def interval_table(decisions: pd.DataFrame, columns: Mapping[Place, str], caption: str) -> Table:
    """Arms and differences as rows, some numbers of a table of `decisions` as columns.

    Args:
        decisions: The numbers.
        columns: What is shown -> its heading.
        caption: Text before that which all such tables share.
    """
    rows: list[tuple[str, ...]] = []
    apart = decisions["reference"] != ""
    for (model, is_apart), own in decisions.groupby(["model", apart], sort=False):
        rows += [
            (f"{model}: differences" if is_apart else str(model),),
            *_lines(own, list(columns)),
        ]
    only = _GROUPS_ONLY if (decisions["levels"] == GROUPS_ONLY).any() else ""
    return Table(
        f"{caption} {_ENDING}{only}",
        ("Arm", *columns.values()),
        tuple(rows),
        source=f"scoring/{'external_decisions' if _is_external(decisions) else 'decisions'}.csv",
    )


def _at_rule(decisions: pd.DataFrame, target: str, rule: str, prevalence: float) -> Table:
    columns = {(rule, target, metric): words for metric, words in _AT_RULE.items()}
    where = "the external data" if _is_external(decisions) else "the test split"
    caption = (
        f"{SCOPE_WORDS[target].capitalize()}, {_rule_words(rule)}: sensitivity and specificity on "
        f"{where}, and predictive values at an assumed prevalence of "
        f"{100 * prevalence:g} % (verdict.prevalence). Exploratory."
    )
    return interval_table(decisions, columns, caption)


def _is_external(decisions: pd.DataFrame) -> bool:
    return "data" in decisions


def _rule_words(rule: str) -> str:
    return f"threshold for {rule} on validation" if "%" in rule else f"{rule} decision"


def _lines(own: pd.DataFrame, places: Sequence[Place]) -> list[tuple[str, ...]]:
    lines = []
    for (arm, reference), rows in own.groupby(["arm", "reference"], sort=False):
        found = {
            (row["readout"], row["scope"], row["metric"]): row for row in rows.to_dict("records")
        }
        written = signed if reference else number
        cells = (with_interval(found[place], "value", written) for place in places)
        lines.append((f"{arm} − {reference}" if reference else str(arm), *cells))
    return lines
