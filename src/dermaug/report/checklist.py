"""What reporting guidelines ask, answered by a run where it can, and left to the author where not.

The topics are those of the guidelines, in our own words and order, without their numbers. The
official form has to be filled in for a submission; this file says what to write into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.files import write_text
from dermaug.markdown import plain
from dermaug.output_places import require_writable
from dermaug.report.checklist_answers import ANSWERS
from dermaug.scoring.scoring import Scoring


@dataclass(frozen=True)
class Guideline:
    """A reporting guideline.

    Args:
        name: Its name.
        source: Where the official text and form are.
        topics: Section, what is asked (in our own words), and the key of the answer in `ANSWERS`;
            "" for what the author must write.
    """

    name: str
    source: str
    topics: Sequence[tuple[str, str, str]]


_TITLE = (
    ("Title and abstract", "Say in the title that a method of machine learning was studied.", ""),
    ("Title and abstract", "A structured summary with design, data, results and limits.", ""),
    ("Introduction", "Clinical background, and the role the method is meant to have.", ""),
    ("Introduction", "The question, and what was expected before the study.", "question"),
)
_DATA = (
    ("Data", "Where and when the data were collected, and by whom.", "source"),
    ("Data", "Who and what was included and excluded.", "exclusions"),
    ("Data", "How the images were taken: devices, settings, operators.", ""),
    ("Data", "How images were prepared before training.", "preparation"),
    ("Data", "How missing and unreadable data were handled.", "missing"),
    ("Data", "How data were de-identified, and approval of an ethics committee.", ""),
    ("Reference standard", "How the diagnosis was made, and why in this way.", "reference"),
    ("Reference standard", "Who assigned the labels, and how well they agree.", ""),
    ("Splits", "How data were divided, and which unit was kept in one part.", "splits"),
    ("Splits", "Size of the study, and the difference it could detect.", "size"),
)
_MODEL = (
    ("Model", "Architecture, inputs and outputs of each network.", "model"),
    ("Model", "Initial weights.", "weights"),
    ("Model", "Training: augmentation, length, optimiser, imbalance of classes.", "training"),
    ("Model", "How the final network and its settings were selected.", "selection"),
    ("Model", "How synthetic images were made and checked.", "synthetic"),
    ("Model", "Software, versions and hardware.", "software"),
)
_ANALYSIS = (
    ("Analysis", "The primary metric and the others, and when they were fixed.", "metrics"),
    ("Analysis", "Uncertainty, tests, and adjustment for several comparisons.", "uncertainty"),
    ("Analysis", "Thresholds, and how they were chosen.", "thresholds"),
    ("Analysis", "Tests of robustness, controls and repetitions.", "robustness"),
)
_RESULTS = (
    ("Results", "Flow of images and lesions into the analysis.", "flow"),
    ("Results", "Characteristics of each part of the data.", "characteristics"),
    ("Results", "Performance with intervals.", "performance"),
    ("Results", "Performance in subgroups.", "subgroups"),
    ("Results", "Failures, with examples.", "failures"),
)
_DISCUSSION = (
    ("Discussion", "Limits: bias, uncertainty, and to whom the results apply.", "limits"),
    ("Discussion", "What follows for practice and for research.", ""),
)
_OPEN = (
    ("Other", "Registration and protocol.", ""),
    ("Other", "Where code, networks and data can be had.", "availability"),
    ("Other", "Funding and conflicts of interest.", ""),
)
_EXTERNAL = (("Results", "Performance on data from another source.", "external"),)
_CALIBRATION = (("Results", "Calibration of the probabilities.", "calibration"),)

GUIDELINES = {
    "claim": Guideline(
        "CLAIM (2024 update)",
        "Tejani et al. 2024, doi:10.1148/ryai.240300",
        (*_TITLE, *_DATA, *_MODEL, *_ANALYSIS, *_RESULTS, *_EXTERNAL, *_DISCUSSION, *_OPEN),
    ),
    "tripod-ai": Guideline(
        "TRIPOD+AI",
        "Collins et al. 2024, doi:10.1136/bmj-2023-078378",
        (
            *_TITLE,
            ("Introduction", "Known inequalities in health between groups.", ""),
            *_DATA,
            *_MODEL,
            *_ANALYSIS,
            ("Analysis", "How fairness between groups was addressed.", "subgroups"),
            *_RESULTS,
            *_CALIBRATION,
            *_EXTERNAL,
            *_DISCUSSION,
            ("Other", "How patients and the public were involved.", ""),
            *_OPEN,
        ),
    ),
    "stard-ai": Guideline(
        "STARD-AI",
        "Sounderajah et al. 2025, Nature Medicine",
        (
            *_TITLE,
            *_DATA,
            *_MODEL,
            *_ANALYSIS,
            ("Analysis", "Indeterminate results of the test and of the reference.", ""),
            ("Results", "Table of results of the test against the reference.", "confusion"),
            *_RESULTS,
            *_EXTERNAL,
            ("Results", "Harm by the test or by the reference standard.", ""),
            *_DISCUSSION,
            *_OPEN,
        ),
    ),
}
"""Name on the command line -> guideline."""


CHECKLIST_MARK = "Topics of "
"""How the text of every checklist begins, below its title."""


def write_checklist(
    results: RunResults, scoring: Scoring, name: str, output: Path | None = None
) -> Path:
    """Write the topics of a guideline with what the run says to them, as a Markdown file.

    Raises:
        DermaugError: There is no such guideline, or the folder cannot be written to.
    """
    guideline = known_guideline(name)
    path = output or results.folder / f"checklist-{name}.md"
    require_writable(path.parent)
    write_text(path, checklist(results, scoring, guideline))
    return path


def known_guideline(name: str) -> Guideline:
    """The guideline of a name.

    Raises:
        DermaugError: There is none.
    """
    if name not in GUIDELINES:
        raise DermaugError(f"--checklist {name}: expected one of {', '.join(GUIDELINES)}")
    return GUIDELINES[name]


def checklist(results: RunResults, scoring: Scoring, guideline: Guideline) -> str:
    """The topics of a guideline as a Markdown table per section, and what is left to do."""
    answered = [
        (section, asked, ANSWERS[key](results.compared, scoring) if key else "")
        for section, asked, key in guideline.topics
    ]
    open_topics = [asked for _, asked, answer in answered if not answer]
    lines = [
        f"# {results.experiment.name}: {guideline.name}",
        "",
        f"{CHECKLIST_MARK}{guideline.name} ({guideline.source}) in our own words, without its "
        "numbers; fill in the official form for a submission. The run answers "
        f"{len(answered) - len(open_topics)} of {len(answered)} topics; read these answers and "
        "complete them. The others are for the author.",
    ]
    for section in dict.fromkeys(section for section, _, _ in answered):
        lines += ["", f"## {section}", "", "| Topic | Answer |", "|---|---|"]
        lines += [
            f"| {asked} | {plain(answer) or '**For the author.**'} |"
            for place, asked, answer in answered
            if place == section
        ]
    return "\n".join([*lines, ""])
