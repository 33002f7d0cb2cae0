"""What single words of a question are: around names, particles, what a thing is like, what is asked of it."""

import re
from collections.abc import Container, Iterator
from functools import lru_cache

_WORDS_KEPT = 4096  # words of which is known what they are, some 0.2 kB each
_TOPIC = re.compile(r".[은는]$")
# 기름 묻은 피자박스 is about the box.
_PARTICIPLE = re.compile(
    r"^수은$|(?:[묻남붙담씻먹젖굳썩낡삭받얼녹볶삶많작얇검붉넓밝좋뜯꺾입신싸쓰하되있없들나오가지]|[가-힣](?:나|지|리|이))[은는]$"
)
# Words behind the last noun that say what became of it or what is asked: 부러졌는데, 버리려고요.
_PREDICATE = re.compile(
    r"(?:[는은던한]데요?|려[고구]요?|[릴할갈볼쓸낼뺄될]라[고구]요?|[리하되]고요|인(?:가요?|지)|[아어해워려져봐써했]요|[네지죠까나]요|(?<!입)니다|니까|려면"
    r"|[아어해]서|[했됐졌났았었]어|[했됐졌났았었]음|는지|다면서|다며"
    r"|싶어|[았었]는|된|진|난)$"
)
_PARTICLES_TEXT = """
이에요 예요 이예요 이요 입니다 같아요 인데요 이라고요 라고요
이잖아 이잖아요 잖아 잖아요 이거든요 거든요 이네요 이야
으로는 에서는 이랑은 에다가 이라도 이라는 으로 에서 에다 이랑 하고 까지 부터 처럼 마다 이나 이란 인데 인가 은요 는요
들은 들을 은 는 이 가 을 를 에 로 도 만 의 와 과 랑 나 요 들 란 야
"""
_PARTICLES = frozenset(_PARTICLES_TEXT.split())
_LONGEST_PARTICLE = max(map(len, _PARTICLES))

# The single letters are what contractions leave: it's, I've, they're.
_AROUND_TEXT = """
어디 어디에 어디다 어디다가 어디로 어디서 어떻게 어떡해 어케 뭐 뭘로 무엇 무슨 어느 방법 법 버리는 버려 버려요
버리나요 버릴 버릴때 버릴까 버리는법 버리는방법 버리기 버리면 버려야 버리고 버리지 버림 해요 해야 하나요 하죠 하는
할까 되나요 되요 돼요 되는 될까요 돼 분리수거 분리배출 재활용
배출 배출방법 처리 처리방법 처리법 수거 수거함 쓰레기 폐기 재질 재질의 깨끗한 더러운 일반 문의드립니다 문의 질문
다 쓴 쓰던
쓰고 남은 빈 헌 오래된 다쓴 먹은 먹고 마신 안 못 쓰는 좀 수 있나요 있어요 것 거 게 인가요 가능 가능한가요 알려줘
알려주세요 궁금 궁금해요 이거 저거 이건 넣어 넣어요 넣나요 넣으면 해 때 how where what which when do does did i we
you to the a an my our this that these those is are it its be should must of for in into on at with from and or
dispose disposing disposal throw recycle recycled recycling bin put go goes old used good empty trash garbage
rubbish away out s ve re ll m they
"""
# What a thing is like, not what it is: 부러진, 낡은; in English the few words below. What it does makes it another
# thing (뿌리는 파스, 소리나는 인형), but not whether somebody uses it (안 신는 신발).
_QUALITY = re.compile(
    r"^(?:안|못)?[쓰신입타보읽듣먹]는$|[가-힣](?:은|한|된|진|난|간|운|던|란|린|긴|든|친|인|힌|픈|쓴|른|된)$"
)
_QUALITIES_TEXT = """
broken old used new small little dirty clean wet torn empty full single cracked swollen leaking expired worn
dull dried leftover half one two some few whole stained greasy mouldy moldy rusty damaged glowing opened
unopened 헌 새 빈 작은 소형 중형 미니 폐 중고 고장 휴대용 가정용 나온 사온 들어온 가져온 난 간 든 한 두
"""
# Who made it or owns it says nothing of what it is.
_WHOSE_TEXT = """
삼성 엘지 lg 대우 위니아 쿠쿠 쿠첸 신일 한일 필립스 다이슨 샤오미 애플 소니 한샘 다이소 쿠팡 무인양품 코카콜라 펩시
삼다수 오뚜기 농심 풀무원 비비고 스타벅스 투썸 이디야 메가커피 배민 나이키 아디다스 유니클로 samsung philips dyson
xiaomi apple sony daiso coupang nike adidas starbucks 우리집 우리 집 저희 엄마 아빠 할머니 회사 사무실 동네 국산 수입
새로 새로산 office home
"""
_QUALITIES = frozenset((*_QUALITIES_TEXT.split(), *_WHOSE_TEXT.split()))
# What becomes of something else that stands before it: 기름 묻은, 곰팡이 핀; but who names a date means what is inside.
_OF_SOMETHING = re.compile(r"^(?:묻은|밴|낀|찬|핀|빠진|나간|떨어진|붙은|달린|박힌|남은|담긴|스민|슨|튄)$")
_SUBJECT = re.compile(r"[가-힣][이가]$")
# A large thing may go where small ones don't, and a dead mouse isn't a computer's.
_DECIDING = frozenset(["대형", "큰", "커다란", "기다란", "big", "large", "huge", "죽은", "dead"])
# What ends with one of these stands before a noun without making another thing of it: 집에서 쓰던 의자.
_ANOTHER_PART = re.compile(r"[가-힣](?:에서?|에는|을|를|으로|면서|는데|[아어]서|려고|니다|[아어해]요)$")

_AROUND = frozenset(_AROUND_TEXT.split())
# What looks like one of these words with a particle: mercury, a tap, enamel.
_NAMES = frozenset(["수은", "수도", "법랑"])


def singular(word: str) -> str:
    """An English word without the plural's ending; Korean as it is."""
    if not word.isascii() or len(word) < 4 or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word.removesuffix("s")


@lru_cache(maxsize=_WORDS_KEPT)
def is_around(word: str) -> bool:
    """Whether the word, or what is left without its particle, is one of the words around names."""
    return word not in _NAMES and (word in _AROUND or any(bare in _AROUND for bare in _without_particle(word)))


@lru_cache(maxsize=_WORDS_KEPT)
def is_topic(word: str) -> bool:
    """Whether a word is marked as what is asked about: 물티슈는."""
    return bool(_TOPIC.search(word)) and not _PARTICIPLE.search(word)


@lru_cache(maxsize=_WORDS_KEPT)
def is_predicate(word: str) -> bool:
    """Whether a word behind the last noun says what became of it, or what is asked."""
    return bool(_PREDICATE.search(word))


def kinds(before: str, names: Container[str] = ()) -> list[str]:
    """The words right before a noun that may make another thing of it: 플라스틱 in 어제 집에서 플라스틱 큰 의자.

    Who did what to it, as 엄마가 does in 엄마가 쓰던 의자, makes none. A name may end as what a thing is like does:
    바이올린 in 바이올린 줄.
    """
    found, behind = list[str](), ""
    for word in reversed(before.split()):
        if _ANOTHER_PART.search(word) or (behind and _SUBJECT.search(word)):
            break
        if _OF_SOMETHING.search(behind):
            behind = ""
        elif is_listed_quality(word) or (is_quality(word) and word not in names):
            behind = word
        else:
            found.append(word)
            behind = ""
    return found


@lru_cache(maxsize=_WORDS_KEPT)
def is_quality(word: str) -> bool:
    """Whether a word tells what a thing is like rather than what it is."""
    return word not in _DECIDING and (is_listed_quality(word) or bool(_QUALITY.search(word)))


def is_listed_quality(word: str) -> bool:
    """Whether it is one of the words for that which are listed, whatever it ends with."""
    return word not in _DECIDING and not _QUALITIES.isdisjoint(bare_forms(word))


@lru_cache(maxsize=_WORDS_KEPT)
def bare_forms(word: str) -> tuple[str, ...]:
    """A Korean word as it is and without its particle; with two, where one particle may be a part of another.

    종이예요 is 종이 + 예요 rather than 종 + 이예요.
    """
    bare = next(_without_particle(word), "")
    if not bare:
        return (word,)
    particle = word[len(bare) :]
    joined = particle.startswith("이") and particle[1:] in _PARTICLES
    return (word, f"{bare}이", bare) if joined else (word, bare)


def _without_particle(word: str) -> Iterator[str]:
    """The word without each particle that it ends with, the longest particle first."""
    lengths = range(min(_LONGEST_PARTICLE, len(word) - 1), 0, -1)
    return (word[:-length] for length in lengths if word[-length:] in _PARTICLES)


@lru_cache(maxsize=_WORDS_KEPT)
def last_forms(word: str) -> tuple[str, ...]:
    """The last word of a name as it is, and without its particle."""
    return tuple(map(singular, bare_forms(word)))
