"""The quantities of the LaTeX package siunitx as text: "5 mg" for `\\SI{5}{\\milli\\gram}`."""

import re
from typing import Any

from rag_qa.corpus.scripts import RAISED, RESET

_PREFIXES = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "μ", "milli": "m",
    "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi",
    "tebi": "Ti",
}  # fmt: skip
_UNITS = {
    "metre": "m", "meter": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol",
    "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W", "coulomb": "C",
    "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T", "henry": "H", "lumen": "lm",
    "lux": "lx", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv", "katal": "kat", "radian": "rad",
    "steradian": "sr", "celsius": "°C", "degreeCelsius": "°C", "degree": "°", "arcminute": "′", "arcsecond": "″",
    "minute": "min", "hour": "h", "day": "d", "year": "yr", "hectare": "ha", "litre": "L", "liter": "L",
    "tonne": "t", "electronvolt": "eV", "eV": "eV", "dalton": "Da", "atomicmassunit": "u", "astronomicalunit": "au",
    "bar": "bar", "decibel": "dB", "bel": "B", "neper": "Np", "bit": "bit", "byte": "B", "percent": "%",
    "angstrom": "Å", "molar": "M", "Molar": "M", "gauss": "G", "parsec": "pc", "lightyear": "ly", "calorie": "cal",
    "mmHg": "mmHg", "atm": "atm", "inch": "in", "foot": "ft", "mile": "mi", "knot": "kn", "rpm": "rpm",
    "squared": "²", "cubed": "³", "per": "/", "square": "", "cubic": "", "highlight": "", "cancel": "",
}  # fmt: skip
# Abbreviations of siunitx that are shown as they are: \kg, \mL, \kHz, \uM.
_SHORT_UNITS = """fg pg ng ug mg g kg pm nm um mm cm dm m km as fs ps ns us ms s fmol pmol nmol umol mmol mol kmol pA nA
    uA mA A kA ul ml l hl uL mL L hL mHz Hz kHz MHz GHz THz mN N kN MN Pa kPa MPa GPa mohm kohm Mohm pV nV uV mV V kV
    uW mW W kW MW GW J uJ mJ kJ eV meV keV MeV GeV TeV kWh F fF pF nF uF mF K dB kibit kB MB GB TB mM uM nM pM cal
    kcal rad mrad sr min h d ha bar mbar ppm ppb""".split()
QUANTITIES = {
    "SI": "[{[{", "qty": "[{{", "num": "[{", "si": "[{", "unit": "[{", "ang": "[{", "SIrange": "[{{{",
    "qtyrange": "[{{{", "numrange": "[{{", "SIlist": "[{{", "qtylist": "[{{", "numlist": "[{", "numproduct": "[{",
    "qtyproduct": "[{{", "complexnum": "[{", "complexqty": "[{{", "tablenum": "[{",
}  # fmt: skip
_UNIT_LAST = (
    "SI",
    "qty",
    "si",
    "unit",
    "SIrange",
    "qtyrange",
    "SIlist",
    "qtylist",
    "qtyproduct",
    "complexqty",
)
_BETWEEN = {"range": "–", "list": ", ", "product": " × "}
# Two units in a row ("N m") need a space; a prefix and its unit have none.
_UNIT_COMMAND = re.compile(r"\\([A-Za-z]+)\s*|([~.])")
_TOTHE = re.compile(r"\\(?:tothe|raiseto)\s*\{([^{}]*)\}")
_POWER = re.compile(r"\\(square|cubic)\s*((?:\\[A-Za-z]+\s*)?\\[A-Za-z]+)")
_CLOSE_UNITS = ("%", "°", "′", "″")


def quantity_text(node: Any) -> str:
    r"""Return the text of a siunitx command: the number with its unit, or as written if the unit is unknown.

    `node` is the macro node of pylatexenc.
    """
    written = [str(a.latex_verbatim()) if a else "" for a in node.nodeargd.argnlist]
    given = [a[1:-1] if a[:1] == "{" else a for a in written if a[:1] != "["]
    given = [a for a in given if a or len(given) == 1]
    name = str(node.macroname)
    unit = _unit(given.pop()) if name in _UNIT_LAST and given else ""
    between = next((sign for ending, sign in _BETWEEN.items() if name.endswith(ending)), " ")
    if name == "ang":
        return "".join(part + sign for part, sign in zip(given[0].split(";"), "°′″", strict=False) if part)
    numbers = [_number(part) for a in given for part in a.split(";")]
    number = between.join(numbers)
    if "\\" in unit or "\\" in number:
        return str(node.latex_verbatim())
    gap = (
        ""
        if not number or unit.startswith("/") or (unit.startswith(_CLOSE_UNITS) and not unit.startswith("°C"))
        else " "
    )
    return f"{number}{gap}{unit}".strip()


def _number(written: str) -> str:
    number = re.sub(r"\+-|\\pm\b\s*", " ± ", written.strip().strip("$"))
    number = re.sub(r"(?:(?<!\s)\s++)?\\(?:times|cdot)\s*|(?<=\d)\s*x\s*(?=[\d.])", " × ", number)
    return " ".join(re.sub(r"^-(?=\d)", "−", number).split())


def _unit(written: str) -> str:
    """Return a unit in letters and signs; as written if it is unknown."""
    text = _POWER.sub(lambda m: m[2] + ("\\squared" if m[1] == "square" else "\\cubed"), written)
    text = _TOTHE.sub(lambda m: f"{RAISED}{m[1]}{RESET}", text)
    shown, glued = "", True
    position = 0
    for match in _UNIT_COMMAND.finditer(text):
        shown += text[position : match.start()]
        position = match.end()
        name = match[1]
        if name is None:
            shown, glued = shown + " ", True
        elif name in _PREFIXES:
            shown, glued = shown + ("" if glued else " ") + _PREFIXES[name], True
        elif name in _UNITS or name in _SHORT_UNITS:
            sign = _UNITS.get(name, name.replace("u", "μ", 1) if name[0] == "u" else name)
            tight = glued or sign in ("/", "²", "³", "")
            shown, glued = shown + ("" if tight else " ") + sign, sign in ("/", "")
        else:
            return written
    rest = re.sub(
        r"\^\{([^{}]*)\}|\^(\d)", lambda m: f"{RAISED}{m[1] or m[2]}{RESET}", shown + text[position:]
    )
    return rest.replace("$", "").strip()
