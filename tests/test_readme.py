"""What the documents tell a reader to do: commands parse, links lead somewhere, snippets hold."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest
import typer

from dermaug.cli import app
from dermaug.cli.options import read_asked
from dermaug.experiment_file import validate_experiment
from dermaug.generators import FAMILIES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "results/README.md"])
PAGES = sorted([*DOCUMENTS, *ROOT.glob("benchmarks/*.md"), *ROOT.glob("results/*/**/*.md")])
PUBLISHED = ("README.md", "tables.md", "scoring/scores.csv", "experiment.json", "run.json")
JOB_FOLDER = re.compile(
    r"runs/(\w+)/((?:lesions\d+/)?(?:generators/[\w+-]+/[\w-]+|classifiers/[\w+-]+/[\w-]+)/[\w-]+)"
)
VALUED = ("--python", "--resolution", "--with")
"""Options of `uv run` that are followed by a value."""
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def snippets(document: Path, language: str) -> list[str]:
    found = FENCE.findall(document.read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def commands(document: Path) -> list[list[str]]:
    """Words of every `uv run ...` of a document's shell snippets, from the program on."""
    lines = [line for text in snippets(document, "sh") for line in text.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    programs = [part.partition(" > ")[0] for part in parts if part.startswith("uv run ")]
    return [_program(shlex.split(program, comments=True)[2:]) for program in programs]


def _program(words: list[str]) -> list[str]:
    """The words without the options of `uv run` before the program."""
    while words[0].startswith("--"):
        words = words[2 if words[0] in VALUED else 1 :]
    return words


def shown(part: object) -> str:
    return " ".join(part)[:60] if isinstance(part, list) else str(part)


COMMANDS = [(str(path.relative_to(ROOT)), words) for path in DOCUMENTS for words in commands(path)]
DERMAUG = [(name, words[1:]) for name, words in COMMANDS if words[0] == "dermaug"]


def parsed(words: list[str]) -> tuple[str, dict[str, object]]:
    """Name and parameters of a command line; fails as the program would when it does not parse."""
    command = typer.main.get_command(app)
    name, rest = "dermaug", list(words)
    while hasattr(command, "commands"):
        name = rest.pop(0)
        command = command.commands[name]
    return name, command.make_context(name, rest).params


def test_readme_holds_the_commands_of_the_first_minutes() -> None:
    told = commands(ROOT / "README.md")
    assert ["dermaug", "run"] in told
    assert ["pytest"] in told
    assert any(words[:3] == ["dermaug", "run", "experiments/ham10000.toml"] for words in told)


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=shown)
def test_program_is_installed(name: str, words: list[str]) -> None:
    assert (Path(sys.executable).parent / words[0]).exists(), f"{name}: {words}"


@pytest.mark.parametrize(("name", "words"), DERMAUG, ids=shown)
def test_command_parses_and_its_experiment_is_right(
    name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    _, parameters = parsed(words)
    experiment = parameters.get("experiment")
    if experiment is None or experiment == "my_study.toml":
        return
    settings = parameters["settings"]
    assert read_asked(str(experiment), None, settings).arms, name  # type: ignore[arg-type]


def job_folders(name: str) -> set[str]:
    """Where the jobs of a shipped experiment lie below its run's folder."""
    asked = read_asked(name, None, None)
    points = [f"lesions{size}/" if size else "" for size in asked.splits.sizes]
    generators = {
        f"{point}generators/{config.key}/fold{fold}-seed{seed}/{label}"
        for config in asked.generators
        for point, fold, seed in product(points, asked.splits.indices, config.seeds)
        for label in (["all"] if FAMILIES[config.family].conditional else config.classes)
    }
    classifiers = {
        f"{point}classifiers/{arm.name}/{config.key}/fold{fold}-seed{seed}"
        for arm, config in product(asked.arms, asked.classifiers)
        for point, fold, seed in product(points, asked.splits.indices, asked.seeds)
    }
    return generators | classifiers


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_folders_of_runs_are_those_of_their_experiments(document: Path) -> None:
    told = JOB_FOLDER.findall(document.read_text(encoding="utf-8"))
    wrong = [(run, job) for run, job in told if job not in job_folders(run)]
    assert wrong == []


def test_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="--skip-knwon"):
        parsed(["evaluate", "runs/x", "--data", "y", "--skip-knwon"])


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", FENCE.sub("", document.read_text(encoding="utf-8")))
    links = re.findall(r"\]\(([^)#\s]+)", prose)
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """What links can lead to within a page: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each).lower() for each in headings)
    return {re.sub(r"[^\w\- ]", "", each).replace(" ", "-") for each in plain}


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_headings(document: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", FENCE.sub("", document.read_text(encoding="utf-8")))
    links = re.findall(r"\]\(([\w./-]*\.md|)#([^)\s]+)\)", prose)
    wrong = [
        f"{page}#{anchor}"
        for page, anchor in links
        if anchor not in anchors(document.parent / page if page else document)
    ]
    assert wrong == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as a site, built in strict mode."""
    for needed in ("material", "latex2mathml"):
        pytest.importorskip(needed, reason="NOT TESTED: the site; uv sync --group docs")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_has_a_page_for_every_document(site: Path) -> None:
    pages = {path.stem for path in ROOT.glob("docs/*.md")} - {"index"}
    assert {path.parent.name for path in site.glob("*/index.html")} == pages
    assert "(<code>src/dermaug/config/</code>)" not in (site / "index.html").read_text("utf-8")


class Asked(HTMLParser):
    """What a page makes a browser load, without the links that a reader may follow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        told = dict(attrs)
        if tag == "link" and told.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(told["href"])
        self.addresses += [told[name] for name in ("src", "srcset", "data") if name in told]
        self.addresses += re.findall(r"url\(([^)]+)\)", told.get("style") or "")


def test_the_site_asks_nothing_of_other_hosts(site: Path) -> None:
    pages = {path: Asked(path.read_text("utf-8")).addresses for path in site.rglob("*.html")}
    assert sum(map(len, pages.values())) > len(pages)
    styles = {
        path: re.findall(r"(?:url\(|@import )[\"']?([^)\"'\s]+)", path.read_text("utf-8"))
        for path in site.rglob("*.css")
    }
    outside = re.compile(r"(?:\w+:)?//")
    found = [
        (path.name, each)
        for path, addresses in (pages | styles).items()
        for each in addresses
        if outside.match(each)
    ]
    assert found == []


def test_formulas_are_drawn_without_a_script(site: Path) -> None:
    text = (site / "statistics/index.html").read_text("utf-8")
    formulas = re.findall(r"<math .*?</math>", text)
    written = (ROOT / "docs/statistics.md").read_text("utf-8")
    assert len(formulas) == len(re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", written)) > 40
    for number in re.findall(r"\\tag\{(\d)\}", written):
        assert any(f"<mtext>({number})</mtext>" in each for each in formulas)
    plain = re.sub(r"<[^>]+>", "", re.sub(r"<math .*?</math>", "", text))
    assert not re.search(r"\\(frac|sum|pi|tilde)", plain)


def test_published_studies_are_complete_and_listed() -> None:
    studies = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
    wanted = [study / name for study in studies for name in PUBLISHED]
    assert [str(path.relative_to(ROOT)) for path in wanted if not path.is_file()] == []
    listed = (ROOT / "results/README.md").read_text(encoding="utf-8")
    assert [study.name for study in studies if f"({study.name}/README.md)" not in listed] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_paths_of_the_repository_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|docs|examples|experiments)/[\w/.-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_documents_are_listed_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    pages = [path.name for path in ROOT.glob("docs/*.md") if path.name != "index.md"]
    assert [page for page in pages if f"({page})" not in index] == []


def test_experiment_of_the_documentation_is_valid() -> None:
    (text,) = snippets(ROOT / "docs/run-a-study.md", "toml")
    names = [arm.name for arm in validate_experiment(tomllib.loads(text), "docs").arms]
    assert names == ["real", "classic", "classic+synthetic", "classic+synthetic-replay"]


def test_arm_of_the_contributors_guide_is_valid() -> None:
    (text,) = snippets(ROOT / "CONTRIBUTING.md", "toml")
    tree = {"name": "x", "generators": [{"family": "dcgan"}]} | tomllib.loads(text)
    assert validate_experiment(tree, "CONTRIBUTING").arms[0].synthetic is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_of_the_documents_imports_what_exists(document: Path) -> None:
    for text in snippets(document, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                module = import_module(str(node.module))
                assert [name.name for name in node.names if not hasattr(module, name.name)] == []
