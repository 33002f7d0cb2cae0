// Scans photo.jpg and says what to do with what it shows.
import Eco2
import Foundation

let environment = ProcessInfo.processInfo.environment  // `set -a; . var/stack.env`
let client = Eco2Client(baseURL: URL(string: environment["ECO2_REST_URL"]!)!, locale: "en") { _ in environment["ECO2_TOKEN"] }
for try await event in client.scan(try Data(contentsOf: URL(fileURLWithPath: "photo.jpg"))) {
    print("\(event.scan.progress?.percent ?? 0) %  \(event.scan.progress?.message ?? "")")
    if event.last { print(event.scan.answer?.text ?? "") }
}
