// The page's words in English and Korean, and which of them are read.

const KEPT = "eco2-operators-language";

const WORDS = {
  en: {
    skip: "Skip to the content", views: "Views", live: "Live", isLive: "Updates go on.", isPaused: "Updates are paused.",
    otherLanguage: "한국어", signOut: "Sign out", loading: "Loading …", offline: "The page can't reach its server. It goes on trying.",
    unknownTrouble: "That didn't work.",
    signInTitle: "Operators", signIn: "Sign in", token: "Token",
    whence: "A token with the scope “operator” opens this page. `eco2 token --operator` prints one of the stack on this machine.",
    queue: "Queue", scans: "Scans", letters: "Dead letters", webhooks: "Webhooks", money: "Money today", slowest: "Slowest",
    timeline: "One scan's life",
    stage: "Stage", vision: "vision", rules: "rules", answer: "answer", places: "places", reward: "reward", reply: "reply", deliver: "deliver",
    run: "run", kind: "Kind", id: "Scan or job", batch: "batch", client_export: "export", video: "video", message: "reminder",
    comparison: "comparison",
    ready: "Waiting", inFlight: "In flight", dead: "Dead", oldest: "Oldest due for", lately: "Lately", nothingWaits: "Nothing waits.",
    queueNote: "The oldest that is due says more than how many wait. “Lately” is since this page was opened.",
    scan: "Scan", state: "State", user: "User", userId: "User's id", userOf: "The user of scan", sameUser: "All scans of this user",
    from: "Created from", until: "Created before", created: "Created", started: "Started", ended: "Ended", took: "Took", cost: "Cost",
    any: "Any", search: "Search", noScans: "No scans.", pages: "Pages", firstPage: "First page", nextPage: "Next page", lastPage: "That is all.",
    reached: "Looked back to",
    within: "Created within", hour: "an hour", day: "a day", week: "a week",
    reason: "Reason", worker: "Worker", nextTry: "Next try", trace: "Trace", attempts: "Tries", attempt: "Try", outcome: "Outcome",
    when: "When", error: "Error", noAttempts: "No try has ended yet.",
    replays: "Replays", died: "Died", actions: "Actions", replay: "Replay", archive: "Archive", leave: "Leave it",
    replayed: "Queued again from stage {0}.", archived: "Archived: only a person replays it now.",
    replayAll: "Replay these, {0} at most", replayAllSure: "Queue up to {0} dead letters again, longest dead first? What failed is paid again.",
    replayedMany: "Queued again: {0}.", noLetters: "No dead letters.",
    scanAndWebhook: "Scan, webhook", event: "Event", url: "Address", lastTry: "Last try", redeliver: "Deliver again",
    redelivered: "Queued: it is delivered again at once.", noWebhooks: "No webhooks.",
    events: "Events", time: "Time", noEvents: "No event of it is kept any more.",
    spent: "{0} spent today", spentOf: "{0} of {1} spent today", userShare: "One user's share: {0}", model: "Model", calls: "Calls",
    tokensIn: "Tokens read", tokensOut: "Tokens written", nothingSpent: "Nothing was spent.", since: "Since",
    AWAITING_UPLOAD: "awaiting upload", QUEUED: "queued", RUNNING: "running", SUCCEEDED: "succeeded", FAILED: "failed",
    CANCELLED: "cancelled", EXPIRED: "expired", LOST: "worker lost", DEAD: "dead", ARCHIVED: "archived",
    PENDING: "pending", DELIVERED: "delivered", EXHAUSTED: "exhausted", STOPPED: "stopped",
  },
  ko: {
    skip: "본문으로 바로 가기", views: "화면", live: "실시간", isLive: "계속 새로 고쳐요.", isPaused: "새로 고침을 멈췄어요.",
    otherLanguage: "English", signOut: "로그아웃", loading: "불러오는 중이에요 …", offline: "서버에 연결할 수 없어요. 계속 다시 시도할게요.",
    unknownTrouble: "처리하지 못했어요.",
    signInTitle: "운영자", signIn: "로그인", token: "토큰",
    whence: "범위에 ‘operator’가 있는 토큰으로 열어요. 이 컴퓨터에서 실행 중인 스택의 토큰은 `eco2 token --operator`로 볼 수 있어요.",
    queue: "대기열", scans: "스캔", letters: "실패한 작업", webhooks: "웹훅", money: "오늘 쓴 돈", slowest: "가장 느린 스캔",
    timeline: "스캔의 기록",
    stage: "단계", vision: "이미지 인식", rules: "규칙", answer: "답변", places: "장소", reward: "보상", reply: "되물음 답변", deliver: "전송",
    run: "실행", kind: "종류", id: "스캔 또는 작업", batch: "일괄 처리", client_export: "내보내기", video: "동영상", message: "알림",
    comparison: "비교",
    ready: "대기", inFlight: "처리 중", dead: "실패", oldest: "가장 오래 밀린 시간", lately: "최근", nothingWaits: "기다리는 작업이 없어요.",
    queueNote: "몇 개가 기다리는지보다 가장 오래 밀린 시간이 더 중요해요. ‘최근’은 이 페이지를 연 뒤부터예요.",
    scan: "스캔", state: "상태", user: "사용자", userId: "사용자 ID", userOf: "이 스캔의 사용자", sameUser: "이 사용자의 모든 스캔",
    from: "생성 시각(부터)", until: "생성 시각(전까지)", created: "생성", started: "시작", ended: "끝", took: "걸린 시간", cost: "비용",
    any: "전체", search: "찾기", noScans: "스캔이 없어요.", pages: "쪽", firstPage: "첫 쪽", nextPage: "다음 쪽", lastPage: "더 없어요.",
    reached: "여기까지 찾아봤어요:",
    within: "생성된 기간", hour: "한 시간", day: "하루", week: "일주일",
    reason: "이유", worker: "워커", nextTry: "다음 시도", trace: "트레이스", attempts: "시도", attempt: "차수", outcome: "결과",
    when: "시점", error: "오류", noAttempts: "아직 끝난 시도가 없어요.",
    replays: "재실행", died: "실패 시각", actions: "조치", replay: "재실행", archive: "보관", leave: "그만두기",
    replayed: "{0} 단계부터 다시 대기열에 넣었어요.", archived: "보관했어요. 이제 사람이 직접 재실행해야 해요.",
    replayAll: "이 목록 재실행(최대 {0}개)", replayAllSure: "실패한 지 오래된 것부터 최대 {0}개를 다시 실행할까요? 실패한 단계의 비용이 다시 들어요.",
    replayedMany: "{0}개를 다시 대기열에 넣었어요.", noLetters: "실패한 작업이 없어요.",
    scanAndWebhook: "스캔, 웹훅", event: "이벤트", url: "주소", lastTry: "마지막 시도", redeliver: "다시 보내기",
    redelivered: "곧바로 다시 보낼게요.", noWebhooks: "웹훅이 없어요.",
    events: "이벤트", time: "시각", noEvents: "남아 있는 이벤트가 없어요.",
    spent: "오늘 {0} 썼어요", spentOf: "오늘 {1} 중 {0} 썼어요", userShare: "사용자 한 명의 한도: {0}", model: "모델", calls: "호출",
    tokensIn: "읽은 토큰", tokensOut: "쓴 토큰", nothingSpent: "쓴 돈이 없어요.", since: "기준 시각:",
    AWAITING_UPLOAD: "업로드 대기", QUEUED: "대기", RUNNING: "실행 중", SUCCEEDED: "성공", FAILED: "실패",
    CANCELLED: "취소", EXPIRED: "만료", LOST: "워커 중단", DEAD: "실패", ARCHIVED: "보관",
    PENDING: "대기", DELIVERED: "전송됨", EXHAUSTED: "재시도 소진", STOPPED: "중단",
  },
};

export function language() {
  const chosen = localStorage.getItem(KEPT);
  if (chosen in WORDS) return chosen;
  return navigator.language.startsWith("ko") ? "ko" : "en";
}

export function setLanguage(to) {
  localStorage.setItem(KEPT, to);
}

// A text by its name, {0}, {1} … filled in; a name that isn't here, such as a newer release's stage, is its own text.
export function t(name, ...values) {
  const text = WORDS[language()][name] ?? name;
  return values.reduce((all, value, number) => all.replace(`{${number}}`, value), text);
}
