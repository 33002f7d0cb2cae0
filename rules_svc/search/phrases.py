"""The parts of a question that may be the name of a thing, without particles and surrounding words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile

_NOT_A_WORD = re.compile(r"[^0-9a-z\u1100-\u11ff가-힣]+")
# Who adds what became of it: "a yogurt cup, I rinsed it".
_ADDED = re.compile(r"[,.;!?]\s*(?:(?:and|but|so|because)\s+)?(?:i|it|we|they)\b", re.IGNORECASE)
_ASKING = re.compile(r"\b(?:can|could|may) (?:i|you|we)\b|\bgets? rid of\b|\bthrow(?:n|ing)? (?:away|out)\b")
# Brackets behind a name hold its kind: 수납장(플라스틱).
_IN_BRACKETS = re.compile(r"(?<!\S)(\S+)\s*[(（]([^()（）]*)[)）]")
_MOST_WORDS = 8
_MOST_IN_A_ROW = 4  # few names have more words
_FOR = frozenset(["for", "with"])
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
# Letters of a name that count.
LONGEST = 30
MOST_LETTERS = 500
"""Of a longer text only the beginning is read, so that reading takes bounded time."""
# What is there without being seen; some keyboards and web pages put it between letters.
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0]"
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
dull dried leftover half one two some few whole stained greasy mouldy moldy rusty dead damaged glowing opened
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
_SUBJECT = re.compile(r"[가-힣][이가]$")
# A large thing may go where small ones don't.
_SIZES = frozenset(["대형", "큰", "커다란", "기다란", "big", "large", "huge"])
# What ends with one of these stands before a noun without making another thing of it: 집에서 쓰던 의자.
_ANOTHER_PART = re.compile(r"[가-힣](?:에서?|에는|을|를|으로|면서|는데|[아어]서|려고|니다|[아어해]요)$")

_AROUND = frozenset(_AROUND_TEXT.split())
# What looks like one of these words with a particle: mercury, a tap, enamel.
_NAMES = frozenset(["수은", "수도", "법랑"])


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of the question that may be a name.

    Attributes:
        squeezed: Its letters without spaces.
        words: Its words.
        weight: How much of the question it stands for, up to 1.
        heads: Whether it ends with what the question is about: the last noun, or the marked topic.
        before: The words before it, separated by spaces.
    """

    squeezed: str
    words: tuple[str, ...]
    weight: float
    heads: bool = True
    before: str = ""


def folded(text: str) -> str:
    """Letters as they are compared: one form of each, lower case, nothing but letters, digits and single spaces."""
    return _NOT_A_WORD.sub(" ", plain(text)).strip()


def plain(text: str) -> str:
    """A text in one form of each letter (NFKC), lower case, without what can't be seen."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()


def singular(word: str) -> str:
    """An English word without the plural's ending; Korean as it is."""
    if not word.isascii() or len(word) < 4 or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word.removesuffix("s")


def phrases(question: str) -> list[Phrase]:
    """What may be names in a question, the largest part first; none twice.

    Of a long question only the first eight words are looked at that may name something, and of these no more than four
    in a row, or all of them.
    """
    question = question[:MOST_LETTERS]
    text = folded(_IN_BRACKETS.sub(r" \2 \1 ", _first_said(question)))
    every = folded(question).split()
    said = _ASKING.sub(" ", text).split()
    left = list(islice(_naming(said), _MOST_WORDS))
    found: dict[str, Phrase] = {}
    whole = every[:_MOST_WORDS]
    heads = left == every and _head(every) == len(every)
    # The question's exact words weigh a little more than those left after removing some.
    share = 1.0 if left == every else 0.995
    for phrase in (*_spellings(whole, 1.0, heads), *_runs(left or whole, share, _purpose(said, left))):
        if phrase.squeezed and phrase.squeezed not in found:
            found[phrase.squeezed] = phrase
    return sorted(found.values(), key=lambda phrase: -phrase.weight)


def _first_said(question: str) -> str:
    """A question without what it adds of the thing that it has named."""
    added = _ADDED.search(question)
    return question[: added.start()] if added and len(question[: added.start()].split()) > 1 else question


def _purpose(said: Sequence[str], left: Sequence[str]) -> int:
    """How many of the words that may name something stand before what it is for: a bag for meat is a bag; 0 if none."""
    before = list(islice(_naming(takewhile(lambda word: word not in _FOR, said)), len(left)))
    return len(before) if len(before) < len(left) else 0


def _naming(words: Iterable[str]) -> Iterator[str]:
    """The words that aren't among those around names. At the beginning 게 is a crab, behind others a thing."""
    around = ((number, word, _bare(word) in _AROUND) for number, word in enumerate(words))
    return (word for number, word, is_around in around if not is_around or (number == 0 and word == "게"))


def _bare(word: str) -> str:
    """The word, or what is left without its particle if that is one of the words around names."""
    return word if word in _NAMES else next((bare for bare in _without_particle(word) if bare in _AROUND), word)


def _runs(words: Sequence[str], share: float, purpose: int = 0) -> Iterator[Phrase]:
    """Words in a row, from all of them down to single ones."""
    head, kept = purpose or _head(words), [singular(word) for word in words]
    befores = [" ".join(kept[:start]) for start in range(len(words))]
    complete = (len(words),) if words else ()
    for length in (*complete, *range(min(len(words) - 1, _MOST_IN_A_ROW), 0, -1)):
        for start in range(len(words) - length + 1):
            heads = start + length == head
            weight = (0.85 + 0.15 * length / len(words) - (0.0 if heads else 0.02)) * share
            yield from _spellings(words[start : start + length], weight, heads, befores[start])


def _head(words: Sequence[str]) -> int:
    """How many words there are up to what is asked about.

    The topic, if one is marked (물티슈는 종이예요?), else the last noun: a phone charger is a charger.
    """
    topics = (
        number for number, word in enumerate(words, start=1) if _TOPIC.search(word) and not _PARTICIPLE.search(word)
    )
    nouns = (number for number in range(len(words), 0, -1) if not _PREDICATE.search(words[number - 1]))
    return next(topics, next(nouns, len(words)))


def kinds(before: str) -> list[str]:
    """The words right before a noun that may make another thing of it: 플라스틱 in 어제 집에서 플라스틱 큰 의자.

    Who did what to it, as 엄마가 does in 엄마가 쓰던 의자, makes none.
    """
    found, participle = list[str](), False
    for word in reversed(before.split()):
        if _ANOTHER_PART.search(word) or (participle and _SUBJECT.search(word)):
            break
        participle = is_quality(word)
        if not participle:
            found.append(word)
    return found


def is_quality(word: str) -> bool:
    """Whether a word tells what a thing is like rather than what it is."""
    if word in _SIZES:
        return False
    return not _QUALITIES.isdisjoint(bare_forms(word)) or bool(_QUALITY.search(word))


@lru_cache(maxsize=8192)
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


def _spellings(words: Sequence[str], weight: float, heads: bool, before: str = "") -> Iterator[Phrase]:
    """The words as they are, and without the last one's particle."""
    if not words:
        return
    first = tuple(singular(word) for word in words[:-1])
    for number, bare in enumerate(bare_forms(words[-1])):
        kept = (*first, singular(bare))
        yield Phrase("".join(kept)[:LONGEST], kept, weight * (0.99 if number else 1.0), heads, before)
