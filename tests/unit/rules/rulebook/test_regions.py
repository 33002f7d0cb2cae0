"""Regions: who is meant, and what applies there."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import date

import pytest

from mesh.locale import Locale, Text
from rules_svc.loading import loader
from rules_svc.rulebook.boundaries import Boundaries
from rules_svc.rulebook.gazetteer import Region
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


_SHORT = {
    "서울특별시": ("서울", "서울시"),
    "부산광역시": ("부산", "부산시"),
    "경기도": ("경기",),
    "강원특별자치도": ("강원", "강원도", "강원자치도"),
    "충청북도": ("충북",),
    "전북특별자치도": ("전북", "전라북도", "전북자치도"),
    "전남광주통합특별시": ("전남광주", "전남"),
    "경상남도": ("경남",),
    "제주특별자치도": ("제주도",),
}


def at(book: Rulebook, said: str) -> ResolvedRegion:
    return book.regions.find(said)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("서울특별시/마포구", "서울특별시/마포구"),
        ("서울 마포", "서울특별시/마포구"),
        ("마포구", "서울특별시/마포구"),
        ("서울시 마포구 서교동", "서울특별시/마포구"),
        ("Mapo-gu, Seoul", "서울특별시/마포구"),
        ("seoul mapo", "서울특별시/마포구"),
        ("11440", "서울특별시/마포구"),
        ("1144012000", "서울특별시/마포구"),
        ("11", "서울특별시"),
        ("경기도 성남시 분당구 정자동", "경기도/성남시/분당구"),
        ("분당", "경기도/성남시/분당구"),
        ("광주", "전남광주통합특별시"),
        ("경기 광주", "경기도/광주시"),
        ("강원 고성", "강원특별자치도/고성군"),
        ("전라북도 전주시", "전북특별자치도/전주시"),
        ("전북 전주", "전북특별자치도/전주시"),
        ("세종시", "세종특별자치시"),
        ("36110", "세종특별자치시"),
        ("제주", "제주특별자치도"),
        ("울릉군", "경상북도/울릉군"),
        ("경기도/수원시영통구/망포동", "경기도/수원시/영통구"),
        ("서울특별시마포구망원동", "서울특별시/마포구"),
        ("서울 마포구 망원1동 123-4", "서울특별시/마포구"),
        ("대한민국서울특별시마포구망원동", "서울특별시/마포구"),
        ("경기 수원영통", "경기도/수원시/영통구"),
        ("서울-마포구", "서울특별시/마포구"),
        ("서울특별시_마포구", "서울특별시/마포구"),
        ("Seoul Special City Mapo District", "서울특별시/마포구"),
        ("123-4 Mangwon-dong, Mapo-gu, Seoul, Republic of Korea", "서울특별시/마포구"),
    ],
)
def test_a_region_is_found_as_people_write_it(book: Rulebook, said: str, key: str) -> None:
    """By its full name, in short, in English, with a 동 behind it, or by its code."""
    region = at(book, said).region
    assert region is not None
    assert region.key == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("전남광주통합특별시", "전남광주통합특별시"),
        ("광주광역시 동구", "전남광주통합특별시/동구"),
        ("29110", "전남광주통합특별시/동구"),
        ("전남 화순군", "전남광주통합특별시/화순군"),
        ("전라남도/화순군", "전남광주통합특별시/화순군"),
        ("4679025000", "전남광주통합특별시/화순군"),
        ("인천 동구", "인천광역시/제물포구"),
        ("28140", "인천광역시/제물포구"),
        ("인천 영종구", "인천광역시/영종구"),
        ("인천광역시검단구왕길동", "인천광역시/검단구"),
        ("인천 남구", "인천광역시/미추홀구"),
        ("28170", "인천광역시/미추홀구"),
        ("화성시 동탄구", "경기도/화성시/동탄구"),
        ("41597", "경기도/화성시/동탄구"),
        ("41590", "경기도/화성시"),
        ("경북 군위군", "대구광역시/군위군"),
        ("경북 군위", "대구광역시/군위군"),
        ("군위군", "대구광역시/군위군"),
        ("충북 청원군", "충청북도/청주시"),
        ("경남 마산시", "경상남도/창원시"),
        ("충남 연기군", "세종특별자치시"),
        ("48190", "경상남도/창원시/진해구"),
        ("47720", "대구광역시/군위군"),
        ("강원자치도 춘천시", "강원특별자치도/춘천시"),
        ("42110", "강원특별자치도/춘천시"),
        ("전북자치도 전주시 덕진구", "전북특별자치도/전주시/덕진구"),
        ("45113", "전북특별자치도/전주시/덕진구"),
    ],
)
def test_reforms_are_followed(book: Rulebook, said: str, key: str) -> None:
    """New names and codes are found, and old ones are what they have become."""
    region = at(book, said).region
    assert region is not None
    assert region.key == key


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("인천 중구", {"인천광역시/제물포구", "인천광역시/영종구"}),
        ("28110", {"인천광역시/제물포구", "인천광역시/영종구"}),
        ("인천광역시서구", {"인천광역시/서해구", "인천광역시/검단구"}),
        ("광주시", {"전남광주통합특별시", "경기도/광주시"}),
    ],
)
def test_what_was_divided_is_asked_back(book: Rulebook, said: str, keys: set[str]) -> None:
    """An old district that became two could be either."""
    found = at(book, said)
    assert found.region is None
    assert {region.key for region in found.several} == keys


def test_every_region_is_found_however_it_is_spelt(book: Rulebook) -> None:
    """With and without blanks, a neighbourhood behind it, short names of provinces, codes, separate letters."""
    lost = {
        said: at(book, said).region
        for region in book.regions
        for said in _spellings(region)
        if at(book, said).region != region
    }
    assert lost == {}


@pytest.mark.parametrize("said", ["정자동", "중앙동", "정자1동", "행복마을"])
def test_a_neighbourhood_alone_is_not_guessed(book: Rulebook, said: str) -> None:
    """There are several of most; the notice asks for the city or district."""
    found = at(book, said)
    assert (found.region, found.several) == (None, ())
    assert "시·군·구" in notice(found, book.regions.nation, book.regions, Locale.KO)


@pytest.mark.parametrize("said", ["중구", "고성군", "북구", "강서구"])
def test_a_name_that_several_regions_share_is_not_guessed(book: Rulebook, said: str) -> None:
    """The wrong district's day is worse than none; the notice asks which one."""
    found = at(book, said)
    assert found.region is None
    assert len(found.several) > 1
    assert all(
        one.key.split("/")[0] in notice(found, book.regions.nation, book.regions, Locale.KO) for one in found.several
    )


def test_where_somebody_is_decides_between_regions_of_one_name(book: Rulebook) -> None:
    """중구, said in Daegu, is Daegu's."""
    region = book.regions.find("중구", (35.87, 128.6)).region
    assert region is not None
    assert region.key == "대구광역시/중구"


@pytest.mark.parametrize("said", ["아틀란티스", "99999", "!!", ""])
def test_an_unknown_region_is_the_nations(book: Rulebook, said: str) -> None:
    """No error: the national rule helps everywhere."""
    found = at(book, said)
    assert found.region is None
    assert book.match_in(BOTTLE, (), found).overlay.key == NATION


@pytest.mark.parametrize(
    ("latitude", "longitude", "key"),
    [
        (37.5560, 126.9235, "서울특별시/마포구"),  # Hongik University station
        (37.5497, 126.9137, "서울특별시/마포구"),  # Hapjeong station
        (37.5571, 126.9368, "서울특별시/서대문구"),  # Sinchon station's north side
        (37.5796, 126.8894, "서울특별시/마포구"),  # Sangam-dong, nearer to Seodaemun's and Goyang's centres
        (37.5133, 127.1001, "서울특별시/송파구"),  # Lotte World Tower
        (37.5088, 127.0631, "서울특별시/강남구"),  # Samseong station
        (37.5006, 127.0364, "서울특별시/강남구"),  # Yeoksam station
        (37.5665, 126.9780, "서울특별시/중구"),  # Seoul City Hall, nearer to Jongno's centre
        (37.3947, 127.1112, "경기도/성남시/분당구"),  # Pangyo station
        (37.2636, 127.0286, "경기도/수원시/팔달구"),  # Suwon City Hall's old quarter
        (37.2000, 127.0980, "경기도/화성시/동탄구"),  # Dongtan station
        (37.4602, 126.4407, "인천광역시/영종구"),  # Incheon airport
        (37.4738, 126.6170, "인천광역시/제물포구"),  # Incheon station
        (37.5940, 126.7100, "인천광역시/검단구"),  # Geomdan
        (37.5330, 126.6410, "인천광역시/서해구"),  # Cheongna
        (35.1587, 129.1604, "부산광역시/해운대구"),  # Haeundae beach
        (35.1152, 129.0403, "부산광역시/동구"),  # Busan station
        (35.8714, 128.6014, "대구광역시/중구"),
        (36.2410, 128.5730, "대구광역시/군위군"),
        (36.6282, 127.4562, "충청북도/청주시/서원구"),  # Chungbuk National University
        (36.4800, 127.2890, "세종특별자치시"),
        (33.4996, 126.5312, "제주특별자치도/제주시"),
        (33.2541, 126.5601, "제주특별자치도/서귀포시"),
        (37.4845, 130.9057, "경상북도/울릉군"),
        (37.8860, 127.7300, "강원특별자치도/춘천시"),
        (35.6762, 139.6503, None),  # Tokyo
    ],
)
def test_coordinates_are_the_district_around_them(
    book: Rulebook, latitude: float, longitude: float, key: str | None
) -> None:
    """By the districts' outlines, also where a neighbour's centre is nearer; Tokyo is nobody's."""
    region = book.regions.around(latitude, longitude)
    assert (region.key if region else None) == key


def test_every_district_has_an_outline(book: Rulebook) -> None:
    """Nobody is missing from the map, and cities that are divided are on it by their districts only."""
    rings = json.loads((loader.DATA / "regions" / "boundaries.json").read_text("utf-8"))
    divided = {key for region in book.regions for key in region.lineage[1:]}
    assert rings.keys() == {region.code for region in book.regions if region.key not in divided}
    assert Boundaries.of(rings).codes == rings.keys()


def test_a_place_in_a_hole_is_outside() -> None:
    """Gwangju lay in Jeonnam, as Daegu does in Gyeongbuk."""
    square = [0, 0, 30, 0, 0, 30, -30, 0]
    hole = [10, 10, 10, 0, 0, 10, -10, 0]
    both = Boundaries.of({"47": [square, hole], "27": [hole]})
    assert both.containing(0.0005, 0.0005) == "47"
    assert both.containing(0.0015, 0.0015) == "27"
    assert both.containing(0.0005, 0.0035) is None
    with pytest.raises(ValueError, match="three corners"):
        Boundaries.of({"47": [[0, 0, 1, 1]]})


def test_every_region_is_found_by_its_own_key_and_code(book: Rulebook) -> None:
    """Nobody is hidden by a neighbour of the same name."""
    for region in book.regions:
        assert at(book, region.key).region == region
        if len(region.code) == 5:
            assert at(book, region.code).region == region


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


def _spellings(region: Region) -> Iterator[str]:
    province, *below = region.key.split("/")
    for above in (province, *_SHORT.get(province, (province,))):
        parts = [above, *below]
        yield from ("/".join(parts), " ".join(parts), "".join(parts), ", ".join(parts))
        yield unicodedata.normalize("NFD", "".join(parts))
        yield f"대한민국 {' '.join(parts)}"
        if below:
            yield from (f"{' '.join(parts)} 중앙동 123-4", f"{''.join(parts)}중앙동", f"{''.join(parts)} 중앙로 1")
    yield from (region.code, f"{region.code}10100") if len(region.code) == 5 else (region.code,)
