"""Names of diagnoses: abbreviated, in several spellings and languages; which of them mean one."""

import re
import unicodedata
from functools import lru_cache
from itertools import takewhile

OTHER_NAMES = {
    "melanoma": (
        *("mel", "mm", "melanoom", "malignant melanoma", "melanom", "malignes melanom", "mélanome"),
        *("mélanome malin", "melanoma maligno", "malignt melanom", "maligní melanom", "melanooma"),
        *("czerniak", "czerniaka", "czerniak złośliwy", "меланома", "μελάνωμα"),
        *("melanoma malignum", "melanóma", "rosszindulatú melanoma"),
    ),
    "nevus": (
        *("nv", "nev", "nevi", "melanocytic nevus", "melanocytic nevi", "nevocytic nevus", "mole"),
        *("muttermal", "melanozytärer nävus", "nävuszellnävus", "nzn", "nevo"),
        *("nevo melanocítico", "nevo melanocitico", "znamię", "znamię barwnikowe"),
        *("znamię melanocytowe", "födelsemärke", "modermærke", "føflekk", "pigmentový névus"),
        *("melanositik nevüs", "luomi", "невус", "naevus pigmentosus", "naevus naevocellularis"),
        *("anyajegy", "festékes anyajegy", "σπίλος"),
    ),
    "basal cell carcinoma": (
        *("bcc", "basalioma", "basaliom", "basalzellkarzinom", "basalzellcarcinom"),
        *("carcinome basocellulaire", "carcinoma basocelular", "carcinoma basocellulare"),
        *("cbc", "bzk", "basaalcelcarcinoom", "rak podstawnokomórkowy", "basalcellscancer"),
        *("basalcellecarcinom", "basalcellekarcinom", "basalcellekarsinom", "bazaliom"),
        *("bazocelulární karcinom", "bazal hücreli karsinom", "basaliooma", "tyvisolusyöpä"),
        *("bazalióma", "bazalsejtes karcinóma", "βασικοκυτταρικό καρκίνωμα"),
        *("базальноклеточный рак",),
    ),
    "squamous cell carcinoma": (
        *("scc", "plattenepithelkarzinom", "spinalioma", "spinaliom", "carcinome épidermoïde"),
        *("carcinoma espinocelular", "carcinoma spinocellulare", "carcinoma epidermoide", "cec"),
        *("plaveiselcelcarcinoom", "pek", "rak kolczystokomórkowy", "rak płaskonabłonkowy"),
        *("skivepitelcancer", "planocellulært karcinom", "plateepitelkarsinom"),
        *("spinocelulární karcinom", "skuamöz hücreli karsinom", "okasolusyöpä", "laphámrák"),
        *("carcinoma planocellulare", "laphámsejtes karcinóma"),
    ),
    "Bowen's disease": (
        *("bowen disease", "bowen", "morbus bowen", "squamous cell carcinoma in situ"),
        *(
            "scc in situ",
            "sccis",
            "intraepithelial carcinoma",
            "maladie de bowen",
            "enfermedad de bowen",
        ),
        *("malattia di bowen", "doença de bowen"),
    ),
    "actinic keratosis": (
        *("akiec", "ak", "ack", "actinic keratoses", "solar keratosis", "aktinische keratose"),
        *("solar or actinic keratosis", "kératose actinique", "queratosis actínica"),
        *("cheratosi attinica", "queratose actínica", "ceratose actínica", "actinische keratose"),
        *("rogowacenie słoneczne", "aktinisk keratos", "aktinisk keratose", "aktinická keratóza"),
        *("aktinik keratoz", "keratosis actinica", "keratosis solaris", "aktinikus keratózis"),
    ),
    "seborrheic keratosis": (
        *("sk", "sek", "seborrheic keratoses", "seborrhoische keratose", "verruca seborrhoica"),
        *("kératose séborrhéique", "queratosis seborreica", "cheratosi seborroica"),
        *("queratose seborreica", "ceratose seborreica", "ks", "seborroïsche keratose"),
        *("rogowacenie łojotokowe", "brodawka łojotokowa", "seborroisk keratos"),
        *("seborroisk keratose", "seboroisk keratose", "seboreisk keratose"),
        *("seboroická keratóza", "seboroická veruka", "seboreik keratoz", "keratosis seborrhoica"),
        *("verruca seborrhoica senilis", "szeborreás keratózis", "seborrheás keratózis"),
    ),
    "benign keratosis": ("bkl", "benign keratosis like lesion", "benigne keratose"),
    "solar lentigo": ("lentigo solaris", "solar lentigines", "actinic lentigo"),
    "dermatofibroma": (
        *("df", "dermatofibrom", "dermatofibrome", "dermatofibroom", "włókniak twardy"),
    ),
    "vascular lesion": ("vasc", "vaskuläre läsion", "lésion vasculaire", "lesión vascular"),
    "hemangioma": (
        *("hämangiom", "hémangiome", "emangioma", "angioma", "angiom", "angiome", "naczyniak"),
        *("hemangiom", "hemangioom", "hemanjiyom"),
    ),
    "malignant": ("malign", "maligne", "maligno", "bösartig", "złośliwy", "kwaadaardig"),
    "benign": ("benigne", "benigno", "gutartig", "bénin", "łagodny", "goedaardig", "godartad"),
}
"""Diagnosis -> other names of it. Kinds of a diagnosis (blue nevus, lentigo maligna) are no other
names: data may tell them apart."""
ICD_10 = {
    "melanoma": r"c43(\.?\d+)?",
    "basal cell carcinoma": r"c44\.?\d1\d*",
    "squamous cell carcinoma": r"c44\.?\d2\d*",
    "Bowen's disease": r"d04(\.?\d+)?",
    "nevus": r"d22(\.?\d+)?",
    "actinic keratosis": r"l57\.?0",
    "seborrheic keratosis": r"l82(\.?\d)?",
    "hemangioma": r"d18\.?0\d?",
}
"""Diagnosis -> its codes in ICD-10-CM (2025), in small letters; C44 tells the kind in its second
digit behind the point, which other editions do not have."""
UNCLEAR_CODES = r"d48\.?5|d49\.?2|z12\.?83|r22(\.?\d+)?"
"""Codes of a neoplasm of uncertain or unspecified behaviour, a screening, and a swelling."""
UNCLEAR = frozenset(
    (
        *("unclear", "uncertain", "undetermined", "indeterminate", "inconclusive", "unklar"),
        *("onduidelijk", "onzeker", "indetermine", "incertain", "incierto", "indeterminado"),
        *("dudoso", "dudosos", "incerto", "indeterminato", "dubbio", "do weryfikacji", "niejasne"),
        *("nieokreslone", "niepewne", "oklar", "oklart", "oseker", "osekert", "uklar", "uklart"),
        *("usikker", "usikkert", "nejasne", "belirsiz", "tbd", "tbc", "to be confirmed"),
        *("to be determined", "to verify", "a verifier", "da verificare", "por confirmar"),
        *("a esclarecer", "por aclarar", "da chiarire", "do wyjasnienia", "zu kleren", "pending"),
        *("awaiting histology", "histology pending", "no diagnosis", "keine diagnose", "nd"),
        *("sem diagnostico", "sin diagnostico", "senza diagnosi", "not diagnosed", "to review"),
        *("to be reviewed", "da rivedere", "da valutare", "zu prufen", "zu pruefen", "a revoir"),
        *("por revisar", "a rever", "te beoordelen", "do sprawdzenia", "att granska", "abkleren"),
        *("noch offen", "da controllare", "da definire", "in attesa", "in attesa di istologico"),
        *("non classificato", "ej bedemd", "ventar pad", "okend", "w toku", "unsorted"),
        *("unclassified", "unlabeled", "unlabelled", "awaiting biopsy", "a classer", "en attente"),
        *("non classe", "pendiente", "pendente", "sin clasificar", "nao classificado", "onbekend"),
        *("nog onbekend", "nicht klassifiziert", "nk"),
    )
)
"""Words for a diagnosis that is not known, as `words` writes them."""
SUSPICION = re.compile(
    r"^(v ?a|verdacht( auf)?|query|rule out|r o|dd|ddx|prob|poss|susp|suspect(ed)?"
    r"|suspicio(us|n) (of|for|de)|probabl[ey]|probabile|possibl[ey]|sospecha de|sospetto"
    r"|suspeita de|suspicion de|podejrzenie|podezreni na|misst(anke om|enkt)|mistan?ke om"
    r"|mistenkt|verdenking( op)?) (?=[^\W\d])"
)
"""What stands before a diagnosis that is only suspected, as `words` writes it."""
GREEK_QUESTION = re.compile("[\u0370-\u03ff][;\u037e]")
"""A semicolon behind a Greek letter is a question mark."""
NEGATIONS = frozenset(
    (
        *("no", "not", "non", "without", "excluded", "exclude", "kein", "keine", "ohne", "nicht"),
        *("ausschluss", "sin", "sem", "sans", "pas", "senza", "geen", "nao", "nie", "ingen"),
    )
)
"""Words by which a label says that something is not there, as `words` writes them."""
_TO_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "œ": "oe", "'": "", "’": ""})
SLIP_FROM = 7
"""Letters of the shortest word that may be another one misspelt; shorter ones are abbreviations."""


def spelling(label: str) -> str:
    """A label without case, surplus blanks and the form of its accents.

    Example:
        >>> spelling(" In  Situ")
        'in situ'
    """
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


@lru_cache(maxsize=1_000)
def words(label: str) -> tuple[str, ...]:
    """The words of a label without accents; British and German spelling become American.

    Example:
        >>> words("Seborrhoeic_Keratosis"), words("Nävus"), words("naevus")
        (('seborrheic', 'keratosis'), ('nevus',), ('nevus',))
    """
    plain = unicodedata.normalize("NFKD", spelling(label).translate(_TO_ASCII))
    letters = (character for character in plain if not unicodedata.combining(character))
    text = "".join(character if character.isalnum() else " " for character in letters)
    return tuple(text.replace("ae", "e").replace("oe", "e").split())


def meaning(label: str) -> str:
    """The diagnosis that a label names, or the label itself without case, accents and signs.

    Example:
        >>> meaning("Basalzell-Karzinom"), meaning("Naevi"), meaning("Blue nevus")
        ('basal cell carcinoma', 'nevus', 'bluenevus')
        >>> meaning("Seb. K"), meaning("Basal cell ca"), meaning("C44.319")
        ('seborrheic keratosis', 'basal cell carcinoma', 'basal cell carcinoma')
    """
    found = words(label)
    if code := next((name for name, code in ICD_10.items() if _is_code(label, code)), ""):
        return code
    if any(map(str.isdigit, "".join(found))):
        return " ".join(found)  # 1.0 is not 10
    text = "".join(found)
    known = _DIAGNOSES.get(text) or _DIAGNOSES.get(text.removesuffix("s"))
    return known or _abbreviated(found) or text or label


def _is_code(label: str, code: str) -> bool:
    """Whether a label is a code, which a description may follow."""
    return re.match(rf"({code})(?![\w.])", spelling(label)) is not None


def is_diagnosis(label: str) -> bool:
    """Whether a label is a name of one of `OTHER_NAMES`.

    Example:
        >>> is_diagnosis("Melanom"), is_diagnosis("Patient 3")
        (True, False)
    """
    return meaning(label) in OTHER_NAMES


def _abbreviated(found: tuple[str, ...]) -> str:
    """The only diagnosis whose words begin with these, as `seb k`; "" if there are others."""
    if len(found) < 2 or len(found[0]) < 3:
        return ""
    meant = {
        diagnosis
        for whole, diagnosis in _IN_WORDS.items()
        if len(whole) == len(found)
        and all(word.startswith(part) for word, part in zip(whole, found, strict=True))
    }
    return meant.pop() if len(meant) == 1 else ""


def suspected(label: str) -> str:
    """The diagnosis that a label says is only suspected; "" if it says so of none.

    Example:
        >>> suspected("V. a. Melanom"), suspected("?melanoma"), suspected("Melanoma")
        ('melanom', 'melanoma', '')
    """
    plain = " ".join(words(label))
    rest = SUSPICION.sub("", plain)
    return rest if rest != plain or "?" in label or GREEK_QUESTION.search(label) else ""


def is_unclear(label: str) -> bool:
    """Whether a label says that the diagnosis is not known.

    Example:
        >>> is_unclear("Unklar"), is_unclear("Indéterminé"), is_unclear("nevus")
        (True, True, False)
    """
    return " ".join(words(label)) in UNCLEAR or _is_code(label, UNCLEAR_CODES)


def is_unsure(label: str) -> bool:
    """Whether a label says that the diagnosis is not known, or only suspected."""
    return is_unclear(label) or bool(suspected(label))


def is_misspelt(label: str, other: str) -> bool:
    """Whether two labels differ by one letter, or two swapped ones, of one long word.

    Example:
        >>> is_misspelt("Seborrheic keratosis", "seborrheic kerattosis")
        True
        >>> is_misspelt("typical nevus", "atypical nevus"), is_misspelt("BCC", "SCC")
        (False, False)
    """
    one, two = words(label), words(other)
    if len(one) != len(two):
        return False
    differing = [pair for pair in zip(one, two, strict=True) if pair[0] != pair[1]]
    return len(differing) == 1 and _is_slip(*differing[0])


def _is_slip(word: str, other: str) -> bool:
    start = _num_shared(word, other)
    # A prefix changes the meaning: atypical, amelanotic, nonmalignant.
    if not start or min(len(word), len(other)) < SLIP_FROM:
        return False
    rest, others = word[start:], other[start:]
    end = _num_shared(rest[::-1], others[::-1])
    found, wanted = rest[: len(rest) - end], others[: len(others) - end]
    if any(character.isdigit() for character in found + wanted):
        return False
    if len(found) == len(wanted) == 1:
        return end > 0  # else lesionA and lesionB
    return len(found + wanted) == 1 or (len(found) == 2 and found == wanted[::-1])


def _num_shared(word: str, other: str) -> int:
    """Letters at the beginning of both."""
    pairs = zip(word, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


_IN_WORDS = {
    words(name): diagnosis
    for diagnosis, others in OTHER_NAMES.items()
    for name in (diagnosis, *others)
}
_DIAGNOSES = {"".join(name): diagnosis for name, diagnosis in _IN_WORDS.items()}
