"""The labels of the offline model: category, name and warning of each.

A group is a set of labels of one material, which the model tells apart better than the labels themselves. Missing on
purpose are 전지, 조명제품 and 발포합성수지, which the model never recognises, and 무색페트병, since it can't tell clear
PET from coloured. The names are those of the rule book's taxonomy.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from vision_svc.classifiers.classification import UNKNOWN, Category, WasteKind, text

_RECYCLABLE = "재활용폐기물"

_BATTERY_WARNING = text(
    "이 분류기는 건전지와 배터리를 금속으로 잘못 볼 때가 많아요. 전지라면 금속으로 내놓지 말고 "
    "폐건전지 수거함에 넣어 주세요.",
    "This classifier often takes batteries for metal. A battery doesn't go with metal but into a battery collection "
    "box.",
)
_CLEAR_PET_WARNING = text(
    "이 분류기는 투명 페트병과 색깔 있는 페트병을 구분하지 못해요. 투명한 생수·음료병이면 "
    "투명 페트병으로 따로 내놓아 주세요.",
    "This classifier can't tell clear bottles from coloured ones. A clear water or drink bottle goes to the separate "
    "collection of clear PET.",
)

KINDS: Mapping[str, WasteKind] = MappingProxyType(
    {
        "pet_bottle": WasteKind(
            Category(_RECYCLABLE, "플라스틱류", "페트병"),
            text("페트병", "PET bottle"),
            material="plastic",
            form="bottle",
            warning=_CLEAR_PET_WARNING,
        ),
        "plastic_container": WasteKind(
            Category(_RECYCLABLE, "플라스틱류", "용기류"),
            text("플라스틱 용기", "Plastic container"),
            material="plastic",
            form="container",
        ),
        "vinyl": WasteKind(
            Category(_RECYCLABLE, "비닐류"), text("비닐", "Plastic film"), material="plastic", form="film"
        ),
        "glass": WasteKind(Category(_RECYCLABLE, "유리병"), text("유리병", "Glass bottle"), material="glass"),
        "metal": WasteKind(
            Category(_RECYCLABLE, "금속류"), text("금속", "Metal"), material="metal", warning=_BATTERY_WARNING
        ),
        "paper": WasteKind(Category(_RECYCLABLE, "종이"), text("종이", "Paper"), material="paper"),
        "cardboard": WasteKind(
            Category(_RECYCLABLE, "종이", "골판지류"),
            text("골판지 상자", "Corrugated cardboard"),
            material="paper",
            form="box",
        ),
        "paper_pack": WasteKind(
            Category(_RECYCLABLE, "종이팩"), text("종이팩", "Beverage carton"), material="paper", form="carton"
        ),
        "clothes": WasteKind(
            Category(_RECYCLABLE, "의류및원단"), text("의류·원단", "Clothing and textiles"), material="textile"
        ),
        "ewaste": WasteKind(
            Category(_RECYCLABLE, "전기전자제품"),
            text("전기·전자제품", "Electrical and electronic goods"),
            form="device",
        ),
        "food": WasteKind(Category("음식물류폐기물"), text("음식물 쓰레기", "Food waste"), material="organic"),
        "trash": WasteKind(
            Category("일반종량제폐기물"), text("일반 쓰레기(종량제봉투)", "General waste (volume-rate bag)")
        ),
        "bulky": WasteKind(Category("대형폐기물"), text("대형 폐기물", "Bulky waste")),
    }
)

PERHAPS_BATTERY = replace(
    UNKNOWN,
    warning=text(
        "금속처럼 보여요. 혹시 건전지·배터리인가요? 그렇다면 폐건전지 수거함에 넣어 주세요.",
        "It looks like metal. Is it a battery? Then it goes into a battery collection box.",
    ),
)
"""The kind of a photo that wasn't recognised, and that may show metal: whatever looks like metal may be a battery."""

GROUPS: Mapping[str, WasteKind] = MappingProxyType(
    {
        "plastic": WasteKind(Category(_RECYCLABLE, "플라스틱류"), text("플라스틱", "Plastics"), material="plastic"),
        "paper": KINDS["paper"],
    }
)
"""The kind of a group, used when the group is sure and the label isn't."""

GROUP_OF: Mapping[str, str] = MappingProxyType(
    {
        "pet_bottle": "plastic",
        "plastic_container": "plastic",
        "vinyl": "plastic",
        "paper": "paper",
        "cardboard": "paper",
    }
)
"""Labels that share a group; each other label is a group of its own."""
