"""The data files: their shape, their references, both languages."""

import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mesh.locale import Locale, Text
from rules_svc.answers.questions import Questions, Source
from rules_svc.collection.streams import Stream
from rules_svc.loading import loader
from rules_svc.places.places import PlaceKind
from rules_svc.places.samples import sample_places
from rules_svc.rulebook.effects import Tag
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path, within

DATA = loader.DATA
# A line for each category that an edition has had which may have been stored; a new one is added when it is released.
RELEASED = pathlib.Path(__file__).with_name("released_categories.txt").read_text("utf-8").splitlines()
ONE_FILE = ("heads.yaml", "tags.yaml", "questions.yaml", "special_collections.yaml", "take_apart.yaml")
FILES = [(file, file.removesuffix(".yaml")) for file in ONE_FILE] + [
    (f"{folder}/{file.name}", folder)
    for folder in ("taxonomy", "rules", "items", "regions")
    for file in (DATA / folder).iterdir()
    if file.name.endswith(".yaml")
]
MIDDLES = "종이 종이팩 무색페트병 플라스틱류 비닐류 발포합성수지 유리병 금속류 의류및원단 전지 조명제품 전기전자제품"
MAJORS = (
    "재활용폐기물 일반종량제폐기물 불연성종량제폐기물 음식물류폐기물 공사장생활폐기물 대형폐기물 "
    "생활계유해폐기물 미분류"
)
NAMED_TAGS = (
    "내용물_있음 오염_심함 비닐_라벨_부착 뚜껑_분리_필요 복합재질_의심 깨짐 가스_잔존_의심 배터리_포함 다수_품목_혼합"
)
# Office Korean, and words that hardly anybody says any more.
STIFF = re.compile(
    r"바랍니다|주시기|요망|할 것|하십시오|시오\.|니다|금지|하도록 한다|수거차(?! ?량)|쓰레기차|되도록|사는 곳마다"
    r"|사는 곳에 따라|누리집|전표|골라낼 수 없|골라지지|골라내지 못|불기[가 ]|두어요|두어도|거두어"
)
# What English texts name that has to be bought, found or asked for, and what stands on it.
SAID_IN_KOREAN = {
    "volume-rate bag": "종량제봉투",
    "non-burnable sack": "불연성 마대",
    "special sack": "특수 규격 마대",
    "bulky waste": "대형폐기물",
    "medicine box": "폐의약품 수거함",
    "free home collection": "무상방문수거",
    "recycling mark": "분리배출",
    "renovation waste": "공사장 생활폐기물",
    "community centre": "주민센터",
    "district office": "구청",
}


def texts(value: object) -> Iterator[Text]:
    """Every bilingual text inside a domain object."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, Mapping):
        yield from texts(tuple(value.values()))
    else:
        for name in getattr(value, "__slots__", ()):
            yield from texts(getattr(value, name))


@cache
def _validator(schema: str) -> Draft202012Validator:
    """Of many files each; it is what a schema has to be."""
    described = json.loads((DATA / f"{schema}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


@pytest.mark.parametrize(("file", "schema"), FILES)
def test_every_file_has_the_shape_its_schema_describes(file: str, schema: str) -> None:
    """A typo in a field name, or an unquoted comma that cuts a sentence in two, must not reach a person."""
    found: list[Any] = list(_validator(schema).iter_errors(loader.read(DATA / file)))
    assert [error.message for error in found] == []


def test_the_taxonomy_is_the_guides(book: Rulebook) -> None:
    """Majors and middles are the contract with Vision and Character."""
    assert [major.path[-1] for major in book.taxonomy.majors] == MAJORS.split()
    assert [middle.path[-1] for middle in book.taxonomy.majors[0].children] == MIDDLES.split()
    assert sum(not node.children for node in book.taxonomy) >= 240


def test_a_name_leads_to_one_category(book: Rulebook) -> None:
    """Whoever types a name means one thing: names and synonyms are unique, whatever the spaces and the case."""
    for locale in Locale:
        seen: dict[str, Path] = {}
        for node in book.taxonomy:
            for name in {node.name[locale], *node.synonyms[locale]}:
                folded = name.casefold().replace(" ", "")
                assert seen.setdefault(folded, node.path) == node.path, name


@pytest.mark.parametrize("path", ["플라스틱류/페트병", "플라스틱류/용기류", "종이/골판지류"])
def test_what_the_offline_classifier_emits_exists(book: Rulebook, path: str) -> None:
    """Else a scan of a bottle would fail at the rules."""
    assert book.match(("재활용폐기물", *path.split("/")), ())


def test_every_middle_and_every_major_has_a_rule_of_its_own(book: Rulebook) -> None:
    """Only minors may inherit, so every node has a rule."""
    wide = {major.path for major in book.taxonomy.majors} | {middle.path for middle in book.taxonomy.majors[0].children}
    assert wide <= book.rules.keys()
    assert all(book.match(node.path, ()) for node in book.taxonomy)


def test_every_tag_of_the_contract_is_there(book: Rulebook) -> None:
    """The list is closed: what Vision may say, Rules must know."""
    assert set(NAMED_TAGS.split()) <= book.tags.keys()
    assert len(book.tags) >= 100


def test_every_tag_changes_a_rule_wherever_it_says_so(book: Rulebook) -> None:
    """A tag that changes nothing would be noise to the person and to the model that picks it."""
    for tag in book.tags.values():
        for scope in {scope for effect in tag.effects for scope in effect.scopes}:
            plain, shaped = book.match(scope, ())[0], book.match(scope, [tag.key])[0]
            assert tag.key in shaped.applied_tags, (tag.key, scope)
            assert (plain.steps, plain.container, plain.hazards) != (shaped.steps, shaped.container, shaped.hazards)


def test_no_redirects_lead_in_a_circle(book: Rulebook) -> None:
    """Whatever tags and regions come together, even contradicting ones, no category leads back to itself."""
    local = [Tag("", Text("", ""), one.differently) for known in book.regions.overlays.values() for one in known]
    paths = [node.path for node in book.taxonomy if not book.match(node.path, ())[0].fixed]
    redirects = [(tag.redirect(path), path) for tag in (*book.tags.values(), *local) for path in paths]
    leads: dict[Path, set[Path]] = {}
    for redirect, path in redirects:
        if redirect:
            leads.setdefault(path, set()).add(redirect.to)
    assert leads
    TopologicalSorter(leads).prepare()  # raises CycleError


def test_every_redirect_leads_to_a_rule_made_for_it(book: Rulebook) -> None:
    """A redirect into a category without a rule of its own would lose what it redirects for."""
    local = (effect for known in book.regions.overlays.values() for one in known for effect in one.differently)
    effects = [*(effect for tag in book.tags.values() for effect in tag.effects), *local]
    targets = {effect.redirect.to for effect in effects if effect.redirect}
    assert targets <= book.rules.keys()


def test_every_metal_rule_warns_of_batteries(book: Rulebook) -> None:
    """The classifier takes a quarter of all batteries for metal, and a crushed battery burns."""
    metal = ("재활용폐기물", "금속류")
    rules = [rule for path, rule in book.rules.items() if within(path, metal)]
    assert len(rules) >= 4
    assert all(any("배터리" in hazard.ko and "batter" in hazard.en for hazard in rule.hazards) for rule in rules)


def test_every_text_exists_in_both_languages(book: Rulebook, questions: Questions) -> None:
    """English has no Korean but the words people must say, write or find, in brackets or quotation marks."""
    every = [
        *(text for node in book.taxonomy for text in texts(node)),
        *(text for rule in book.rules.values() for text in texts(rule)),
        *(text for tag in book.tags.values() for text in texts(tag)),
        *(text for known in book.regions.overlays.values() for text in texts(known)),
        *texts(book.regions.nation),
        *texts(questions),
        *(text for place in sample_places() for text in texts(place)),
    ]
    assert len(every) > 2500
    for text in every:
        assert re.search("[가-힣0-9A-Z]", text.ko), text
        assert re.search("[A-Za-z]", text.en), text
        assert not re.search("[가-힣]", re.sub(r"\([A-Z가-힣 ·,]+(?=[);])|‘[가-힣]+’", "", text.en)), text


def test_english_names_the_bag_the_box_and_the_office_in_korean_too(book: Rulebook) -> None:
    """What somebody has to buy, to find or to ask for stands in Korean in shops and on boxes."""
    for rule in book.rules.values():
        steps = " ".join(step.text.en for step in rule.steps)
        for english, korean in SAID_IN_KOREAN.items():
            exclusions = (text.en for one in rule.exclusions for text in (one.item, one.instead))
            for text in (steps, rule.container.en, *exclusions, *(hazard.en for hazard in rule.hazards)):
                assert english not in text or korean in text, (rule.rule_id, text)
    changes = [effect for tag in book.tags.values() for effect in tag.effects]
    added = [effect.step.text.en for effect in changes if effect.step]
    reasons = [effect.redirect.because.en for effect in changes if effect.redirect]
    dangers = [effect.hazard.en for effect in changes if effect.hazard]
    for text in (*added, *reasons, *dangers, *(item.note.en for item in book.items if item.note)):
        assert all(english not in text or korean in text for english, korean in SAID_IN_KOREAN.items()), text


def test_every_instruction_is_a_polite_sentence(book: Rulebook) -> None:
    """One voice throughout: 해요체, and a full stop."""
    rules = book.rules.values()
    local = [effect for known in book.regions.overlays.values() for one in known for effect in one.differently]
    effects = [*(effect for tag in book.tags.values() for effect in tag.effects), *local]
    sentences = [
        *(step.text for rule in rules for step in rule.steps),
        *(text for rule in rules for text in (rule.why, *rule.hazards)),
        *(effect.step.text for effect in effects if effect.step),
        *(effect.redirect.because for effect in effects if effect.redirect),
        *(effect.hazard for effect in effects if effect.hazard),
        *(item.note for item in book.items if item.note),
    ]
    for sentence in sentences:
        assert re.search(r"(요|세요)\.$", sentence[Locale.KO]), sentence
        assert sentence[Locale.EN].endswith("."), sentence


def test_every_rule_names_a_source_of_today(book: Rulebook) -> None:
    """Whoever doubts a rule can look it up: the rule in force and its date, under the name its ministry has now."""
    for rule in book.rules.values():
        for locale in Locale:
            assert re.search(r"20\d\d-\d\d-\d\d", rule.source[locale]), rule.rule_id
        assert not re.search("(?<!기후에너지)환경부", rule.source.ko), rule.rule_id
        assert "Ministry of Environment" not in rule.source.en, rule.rule_id


def test_no_sentence_sounds_like_a_notice(book: Rulebook, questions: Questions) -> None:
    """People are spoken to as a neighbour would, never as an office writes, and in words that are used today."""
    every = [
        *(text for rule in book.rules.values() for text in texts(replace(rule, source=Text("가", "a")))),
        *(text for tag in book.tags.values() for text in texts(tag)),
        *texts(questions),
    ]
    assert len(every) > 2000
    for text in every:
        assert not (stiff := STIFF.search(text.ko)), (stiff, text.ko)
    for rule in book.rules.values():
        for step in rule.steps:
            outside = re.sub(r"\([^()]*\)", "", step.text.ko.replace("행정복지센터(주민센터)", ""))
            assert "주민센터" not in outside, step.text.ko


def test_every_rule_but_the_unknowns_has_a_stream(book: Rulebook) -> None:
    """Without one a rule would have no day and no place, wherever one lives."""
    assert [rule.rule_id for rule in book.rules.values() if rule.stream is None] == ["unknown"]


def test_what_has_to_be_declared_costs_something(book: Rulebook) -> None:
    """A range and that it differs: a figure that pretends to be exact would be wrong somewhere."""
    bulky = [rule for rule in book.rules.values() if rule.stream is Stream.BULKY]
    assert len(bulky) >= 10
    for rule in bulky:
        assert rule.fee
        assert "달라요" in rule.fee.ko
        assert "depends on" in rule.fee.en


def test_questions_point_to_what_exists(book: Rulebook, questions: Questions) -> None:
    """An open question about a category or a tag that isn't there would never be asked."""
    for category in questions.open:
        assert book.taxonomy[category.at]
        assert category.tags <= book.tags.keys()
        for choice in category.choices:
            assert choice.to is None or book.taxonomy[choice.to]
            assert set(choice.tags) <= book.tags.keys()
    assert {tag.tag for tag in questions.open_tags} <= book.tags.keys()


def test_topics_that_look_into_the_steps_say_so_when_they_find_nothing(questions: Questions) -> None:
    """Silence would read as if the question had been overlooked."""
    searching = [topic for topic in questions.topics if topic.source in (Source.STEPS, Source.HAZARDS)]
    assert searching
    assert all(topic.unsaid for topic in searching)


def test_sample_places_say_what_they_are(book: Rulebook) -> None:
    """Nothing invented passes for real."""
    places = list(sample_places())
    assert len({place.place_id for place in places}) == len(places) >= 30
    assert {place.kind for place in places} == set(PlaceKind)
    for place in places:
        assert place.is_sample
        assert "견본" in place.name.ko
        assert "sample" in place.name.en.lower()
        assert set(place.materials) <= book.taxonomy.materials()


def test_the_version_is_a_digest_of_the_content(book: Rulebook) -> None:
    """The same data has the same version in every process."""
    assert re.fullmatch("[0-9a-f]{12}", book.version)
    assert loader.load().version == book.version


def test_every_category_that_was_ever_stored_leads_somewhere(book: Rulebook) -> None:
    """A category that is renamed or moved keeps its old path as `former`, else stored scans would be refused."""
    paths = [tuple(line.split("/")) for line in RELEASED]
    assert len(paths) > 280
    assert [path for path in paths if book.taxonomy.today(path) not in book.taxonomy] == []


@pytest.mark.parametrize("former", ["재활용폐기물/종이", "재활용폐기물/금속류/알루미늄포일"])
def test_a_former_category_leads_to_one_place(folder: pathlib.Path, former: str) -> None:
    """Neither to another that exists, nor to two."""
    file = folder / "taxonomy" / "90_unknown.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("- key: 미분류\n", f"- key: 미분류\n    former: [{former}]\n", 1), "utf-8")
    assert former in file.read_text("utf-8")
    with pytest.raises(ValueError, match="former category"):
        loader.load_taxonomy(folder)
