"""What users read of their accounts."""

from mesh.locale import Text

CLOSED = Text(
    ko="계정을 닫았어요. 사진과 기록, 캐릭터는 곧 모두 지워지고 되돌릴 수 없어요.",
    en="Your account is closed. Photos, history and characters will be gone in a moment, for good.",
)
