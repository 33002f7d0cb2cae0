"""What applies in a region: its days, bags, collections and exceptions, and how old its sources are."""

from datetime import date

import pytest

from mesh.locale import Locale, Text
from rules_svc.rulebook.notices import notice
from rules_svc.rulebook.overlays import Grade
from rules_svc.rulebook.regions import NATION, Level, ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path

CLEAR_PET = ("재활용폐기물", "무색페트병", "생수병")
PAPER = ("재활용폐기물", "종이", "신문지")
TODAY = date(2026, 11, 29)
FILM = ("재활용폐기물", "비닐류")
CAN = ("재활용폐기물", "금속류", "음료캔")
BOTTLE = ("재활용폐기물", "유리병", "음료수병")


def at(book: Rulebook, said: str) -> ResolvedRegion:
    return book.regions.find(said)


def test_the_narrowest_region_that_says_something_applies(book: Rulebook) -> None:
    """District, then city, then province, then nation; and it is told which."""
    gangnam, jeju, bundang = at(book, "강남구"), at(book, "제주시"), at(book, "분당구")
    assert book.match_in(CLEAR_PET, (), gangnam).overlay.key == "서울특별시/강남구"
    assert book.match_in(PAPER, (), jeju).overlay.key == "제주특별자치도"
    assert book.match_in(("재활용폐기물", "전지"), (), jeju).overlay.key == "제주특별자치도/제주시"
    assert book.match_in(PAPER, (), bundang).overlay.key == NATION
    assert [book.regions.level(key) for key in ("대한민국", "제주특별자치도", "제주특별자치도/제주시")] == [
        Level.NATION,
        Level.PROVINCE,
        Level.CITY,
    ]


def test_days_differ_by_what_is_put_out(book: Rulebook) -> None:
    """Jeju's 요일별 배출제: plastics, paper and film have days of their own."""
    told = {
        path[1]: book.match_in(path, (), at(book, "제주시")).rules[0].localized(Locale.KO).when
        for path in (CLEAR_PET, PAPER, ("재활용폐기물", "비닐류"), BOTTLE)
    }
    assert told["무색페트병"].startswith("월·수·금·일요일")
    assert told["종이"].startswith("화·목·토요일")
    assert told["비닐류"].startswith("목·일요일")
    assert told["유리병"].startswith("매일")


def test_the_day_follows_what_the_thing_becomes(book: Rulebook) -> None:
    """A broken bottle goes on the day of the non-burnables, not on that of bottles."""
    followed = book.match_in(BOTTLE, ["깨짐"], at(book, "제주시")).rules[0].localized(Locale.KO)
    assert followed.rule_id == "nonburnable.broken_glass"
    assert followed.when.startswith("화·토요일")


def test_a_region_may_treat_a_thing_differently(book: Rulebook) -> None:
    """Ulleung's clothing bins take clothes only; elsewhere shoes go in."""
    shoes = ("재활용폐기물", "의류및원단", "신발")
    assert book.match_in(shoes, (), at(book, "울릉군")).rules[0].rule_id == "general"
    assert book.match_in(shoes, (), at(book, "마포구")).rules[0].rule_id == "clothing.shoes"


def test_a_region_has_bags_of_its_own(book: Rulebook) -> None:
    """Chuncheon buries what doesn't burn in sky-blue bags."""
    followed = book.match_in(("불연성종량제폐기물", "도자기"), (), at(book, "춘천시")).rules[0]
    assert "하늘색" in followed.container.ko


def test_what_nobody_checked_says_how_old_it_is_and_whom_to_ask(book: Rulebook) -> None:
    """Nobody called the districts: every day comes with its source's date and the advice to ask."""
    for region in filter(None, map(book.regions.of_key, book.regions.overlays)):
        for path in (CLEAR_PET, PAPER, ("일반종량제폐기물", "휴지·기저귀")):
            when = book.match_in(path, (), ResolvedRegion(region, region.key), TODAY).rules[0].localized(Locale.KO).when
            assert when.endswith("확인하세요."), (region.key, path)


@pytest.mark.parametrize(
    ("said", "path", "told"),
    [
        ("마포구", FILM, "2026년 7월 3일 자료예요. 바뀌었을 수 있으니 마포구청(02-3153-8311)에 확인하세요."),
        ("동작구", FILM, "2년이 넘은 자료예요(2020년 7월). 어림으로만 보고 동작구청(02-820-1328)에 확인하세요."),
        ("강남구", PAPER, "2년이 넘은 자료예요(2021년 12월 25일). 어림으로만 보고"),
        ("수성구", PAPER, "날짜를 알 수 없는 자료라 어림으로만 보고 수성구청에 확인하세요."),
    ],
)
def test_a_day_says_how_old_it_is(book: Rulebook, said: str, path: Path, told: str) -> None:
    """What is older than two years, or has no date, is a rule of thumb."""
    assert told in (book.match_in(path, (), at(book, said), TODAY).rules[0].when or Text("", "")).ko


def test_data_grows_old(book: Rulebook) -> None:
    """The same day is told as a rule of thumb two years after its source, to the day."""
    for today, old in ((date(2028, 7, 3), False), (date(2028, 7, 4), True)):
        found = at(book, "마포구")
        matched = book.match_in(FILM, (), found, today)
        told = notice(found, matched.overlay, book.regions, Locale.KO, today)
        assert ("2년이 넘은" in told) == old
        assert told.split(") ", 1)[0]
        assert matched.rules[0].when
        assert ("2년이 넘은" in matched.rules[0].when.ko) == old


@pytest.mark.parametrize(("path", "days"), [(FILM, "수요일"), (CLEAR_PET, "수요일"), (CAN, "일·월·화·목요일")])
def test_mapos_film_and_clear_pet_go_out_on_wednesdays_only(book: Rulebook, path: Path, days: str) -> None:
    """The README's own example."""
    matched = book.match_in(path, (), at(book, "서울 마포구"), TODAY)
    assert matched.overlay.as_of == "2026-07-03"
    assert matched.rules[0].localized(Locale.KO).when.startswith(days)


def test_sixty_municipalities_are_known_from_dated_sources(book: Rulebook) -> None:
    """Each from its own page or a public register, with a date that isn't in the future."""
    dated = {
        key
        for key, known in book.regions.overlays.items()
        if any(one.as_of and one.grade in (Grade.OWN, Grade.PUBLIC) for one in known)
    }
    own = {key for key, known in book.regions.overlays.items() if any(one.grade is Grade.OWN for one in known)}
    assert len(dated) >= 150
    assert len(own) >= 40
    every = [one for known in book.regions.overlays.values() for one in known]
    assert all(one.as_of <= TODAY.isoformat()[: len(one.as_of)] for one in every)


@pytest.mark.parametrize(
    ("said", "path", "rule_id", "told"),
    [
        ("강남구", "일반종량제폐기물/고무장갑", "film", "고무장갑을 씻어서 비닐류로"),
        ("성남시", "일반종량제폐기물/장류", "food", "헹궈"),
        ("고양시 덕양구", "재활용폐기물/플라스틱류/플라스틱옷걸이", "general", "일반 쓰레기로"),
        ("중랑구", "재활용폐기물/조명제품/LED전구", "nonburnable.bulb", "특수 마대"),
        ("화성시 동탄구", "재활용폐기물/조명제품/LED등기구", "bulky", "대형 폐기물로 신고"),
    ],
)
def test_item_exceptions_of_a_region_apply(book: Rulebook, said: str, path: str, rule_id: str, told: str) -> None:
    """A city's exception holds in its districts too, and says that it is one."""
    followed = book.match_in(tuple(path.split("/")), (), at(book, said), TODAY).rules[0].localized(Locale.KO)
    assert followed.rule_id == rule_id
    assert told in followed.steps[0]


@pytest.mark.parametrize(
    ("said", "path", "told"),
    [
        ("종로구", "생활계유해폐기물/폐의약품", "우체통"),
        ("영등포구", "재활용폐기물/전지/건전지", "주민센터 담당자에게 직접"),
        ("서초구", "음식물류폐기물/폐식용유", "아파트 단지, 행정복지센터(주민센터)"),
        ("서초구", "재활용폐기물/의류및원단/의류", "옷체통"),
        ("남양주시", "재활용폐기물/조명제품/형광등", "종량제봉투 한 장"),
        ("강남구", "대형폐기물/소파", "clean.gangnam.go.kr"),
        ("강남구", "대형폐기물/소파", "1522-3833"),
        ("마포구", "일반종량제폐기물/채소껍질·뿌리", "음식물이 아니라 일반 쓰레기로"),
        ("강남구", "재활용폐기물/전기전자제품/전기포트·믹서", "1599-0903"),
    ],
)
def test_special_collections_of_a_region_are_told(book: Rulebook, said: str, path: str, told: str) -> None:
    """Where boxes stand, whether post boxes take medicine, how bulky waste is declared, what isn't food waste."""
    followed = book.match_in(tuple(path.split("/")), (), at(book, said), TODAY).rules[0].localized(Locale.KO)
    assert told in "\n".join(followed.steps)


def test_a_dangerous_battery_stays_out_of_every_regions_boxes(book: Rulebook) -> None:
    """A region's box gives way to the situation's own place."""
    for region in filter(None, map(book.regions.of_key, book.regions.overlays)):
        where = ResolvedRegion(region, region.key)
        followed = book.match_in(("재활용폐기물", "전지", "보조배터리"), ["배터리_부풂"], where, TODAY).rules[0]
        assert followed.rule_id == "battery.damaged"
        assert "수거함: " not in followed.container.ko
        assert all("수거함에 넣어요" not in step.text.ko for step in followed.steps)


def test_bags_and_their_prices_are_the_regions(book: Rulebook) -> None:
    """The register of bag prices, and a district's own sack for what doesn't burn."""
    tissue = book.match_in(("일반종량제폐기물", "휴지·기저귀"), (), at(book, "양평군"), TODAY).rules[0]
    assert tissue.localized(Locale.KO).fee == "가정용 종량제봉투 값: 5 L 140원, 10 L 280원, 20 L 560원"
    china = book.match_in(("불연성종량제폐기물", "도자기"), (), at(book, "강남구"), TODAY).rules[0]
    assert china.container.ko == "PP봉투(불연성 쓰레기용)"


def test_without_a_region_only_what_is_the_same_everywhere_is_told(book: Rulebook) -> None:
    """Battery boxes are open all days; the day of paper is another one in every district."""
    assert book.match(("재활용폐기물", "전지"), ())[0].when
    assert book.match(PAPER, ())[0].when is None


def test_where_nothing_is_known_the_rule_of_thumb_is_told(book: Rulebook) -> None:
    """Who named their district is told to ask it, and isn't asked for it again."""
    followed = book.match_in(PAPER, (), at(book, "양평군")).rules[0]
    assert followed.when
    assert "확인하세요" in followed.when.ko


@pytest.mark.parametrize("locale", list(Locale))
def test_every_notice_is_a_sentence(book: Rulebook, locale: Locale) -> None:
    """Whatever was asked, somebody reads whose rules these are."""
    for said in ("", "아틀란티스", "중구", "양평군", "마포구", "제주시"):
        found = at(book, said)
        told = notice(found, book.match_in(PAPER, (), found).overlay, book.regions, locale)
        assert told.strip()
