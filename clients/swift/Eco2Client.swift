// Uploads photos and watches their scans. What it sends and gets are the models that openapi-generator makes of
// docs/openapi.yaml; of a stream the generator makes a call that answers once, so these calls are written by hand.

import CryptoKit
import Foundation

/// How a scan stands: first as it is, then after each change, and with `last` at its end.
public struct ScanEvent {
    public let scan: Scan
    public let last: Bool

    /// Grows with every change; what a later watch goes on from.
    public var version: Int { scan.version ?? 0 }
}

/// The API, or object storage, refused. Also what `Scan.error` says of a scan that failed.
public struct Eco2Error: Error {
    public let httpStatus: Int
    /// What was said, as far as it came from the API.
    public let status: Status?
    /// In how many seconds another try makes sense; nil if it makes none.
    public let retryAfter: Double?

    public init(httpStatus: Int = 0, status: Status?, retryAfterHeader: String? = nil) {
        self.httpStatus = httpStatus
        self.status = status
        let delay = status?.details.compactMap(\.retryDelay).first.map { String($0.dropLast()) }
        let isTransient = [408, 500, 502, 503, 504].contains(httpStatus)
        retryAfter = (delay ?? retryAfterHeader).flatMap(Double.init) ?? (isTransient ? 0 : nil)
    }

    /// Why: what to decide by. More reasons may be added.
    public var reason: ErrorReason? { status?.details.compactMap(\.reason).first }

    /// What to show the user, by language.
    public var texts: [String: String] {
        var texts: [String: String] = [:]
        for detail in status?.details ?? [] {
            if let locale = detail.locale { texts[locale] = detail.message }
        }
        return texts
    }
}

/// An enum whose last value stands for those that are newer than this code.
public protocol CaseIterableDefaultsLast: Decodable & CaseIterable & RawRepresentable
where RawValue: Decodable, AllCases: BidirectionalCollection {}

extension CaseIterableDefaultsLast {
    public init(from decoder: Decoder) throws {
        let value = try decoder.singleValueContainer().decode(RawValue.self)
        self = Self(rawValue: value) ?? Self.allCases.last!
    }
}

/// What can have such a value.
public protocol UnknownCaseCheckable {
    var containsUnknownDefaultOpenApiCase: Bool { get }
}

/// Eco² for one user. What is lost or refused for now is sent again, with the same `request_id`, so it happens once.
public final class Eco2Client: @unchecked Sendable {
    /// Gives the access token; asked once more, with the one that was refused, after a 401.
    public typealias Token = @Sendable (_ refused: String?) async throws -> String?

    private let baseURL: URL
    private let locale: String
    private let session: URLSession
    private let attempts: Int
    private let token: Token

    /// - Parameter attempts: Tries at most, the first one included.
    public init(
        baseURL: URL,
        locale: String = "ko",
        session: URLSession = .shared,
        attempts: Int = 8,
        token: @escaping Token
    ) {
        self.baseURL = baseURL
        self.locale = locale
        self.session = session
        self.attempts = attempts
        self.token = token
    }

    /// Scans a photo, and tells how it goes until it has ended.
    public func scan(_ photo: Data, about: CreateScanRequest = CreateScanRequest()) -> AsyncThrowingStream<ScanEvent, Error> {
        streamed { tell in
            let scan = try await self.upload(photo, about: about)
            try await self.follow(scan.scanId ?? "", after: 0, tell: tell)
        }
    }

    /// Uploads a photo and starts its scan. Again with the same `requestId` and photo it is the same scan.
    public func upload(_ photo: Data, about: CreateScanRequest = CreateScanRequest()) async throws -> Scan {
        var request = about
        request.requestId = about.requestId ?? UUID().uuidString
        request.upload = about.upload ?? Upload(contentType: .imageSlashJpeg, sha256: sha256(photo), sizeBytes: photo.count)
        for _ in 1...3 {
            let created: CreateScanResponse = try await call("POST", "/v1/scans", JSONEncoder().encode(request))
            guard let ticket = created.upload else { return created.scan ?? Scan() }  // an earlier call has uploaded it
            if try await put(photo, ticket) {
                return try await call("POST", "/v1/scans/\(created.scan?.scanId ?? ""):start", Data("{}".utf8))
            }
        }
        throw Eco2Error(httpStatus: 403, status: nil)  // each address for the photo had expired before it was there
    }

    /// A scan's events after a version, each once, until its end, however often the connection is cut.
    public func watch(_ scanId: String, afterVersion: Int = 0) -> AsyncThrowingStream<ScanEvent, Error> {
        streamed { tell in try await self.follow(scanId, after: afterVersion, tell: tell) }
    }

    /// One JSON call of the API, such as `let me: Account = try await client.call("GET", "/v1/me")`. A POST must be one
    /// that may be repeated.
    public func call<T: Decodable>(_ method: String, _ path: String, _ body: Data? = nil) async throws -> T {
        var request = self.request(path)
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        let data = try await persistently { try await self.authorised(request, self.answer) }
        return try JSONDecoder().decode(T.self, from: data)
    }

    /// Whether the photo is there now; not if its address has expired, of which a new scan request brings another.
    private func put(_ photo: Data, _ ticket: UploadTicket) async throws -> Bool {
        guard let url = ticket.url.flatMap(URL.init(string:)) else { throw URLError(.badURL) }
        var request = URLRequest(url: url)
        request.httpMethod = ticket.method ?? "PUT"
        request.httpBody = photo
        for (name, value) in ticket.headers ?? [:] where name.lowercased() != "content-length" {
            request.setValue(value, forHTTPHeaderField: name)
        }
        do {
            _ = try await persistently { try await self.answer(request) }
        } catch let refused as Eco2Error where refused.httpStatus == 412 {
            return true  // a try whose answer was lost
        } catch let refused as Eco2Error where refused.httpStatus == 403 {
            return false
        }
        return true
    }

    private func follow(_ scanId: String, after version: Int, tell: (ScanEvent) -> Void) async throws {
        var seen = version
        var cuts = 0
        while true {
            do {
                let bytes = try await persistently { try await self.opened(scanId, after: seen) }
                var name = ""
                for try await line in bytes.lines {  // of Server-Sent Events, whose `data` is JSON on one line
                    if line.hasPrefix("event: ") { name = String(line.dropFirst("event: ".count)) }
                    guard line.hasPrefix("data: "), name != "reconnect" else { continue }
                    let data = Data(line.dropFirst("data: ".count).utf8)
                    guard let scan = try JSONDecoder().decode(WatchScanResponse.self, from: data).scan else { continue }
                    let event = ScanEvent(scan: scan, last: name == "terminal")
                    guard event.last || event.version > seen else { continue }
                    seen = event.version
                    cuts = 0
                    tell(event)
                    if event.last { return }
                }
            } catch let failure as URLError where failure.code != .cancelled && cuts + 1 < attempts {
                // it was cut
            }
            cuts += 1
            guard cuts < attempts else { throw URLError(.networkConnectionLost) }
            try await pause(cuts)
        }
    }

    private func opened(_ scanId: String, after version: Int) async throws -> URLSession.AsyncBytes {
        var request = self.request("/v1/scans/\(scanId):watch")
        request.setValue("text/event-stream", forHTTPHeaderField: "Accept")
        if version > 0 { request.setValue(String(version), forHTTPHeaderField: "Last-Event-ID") }
        return try await authorised(request) { request in
            let (bytes, response) = try await self.session.bytes(for: request)
            guard statusCode(of: response) >= 300 else { return bytes }
            var body = Data()
            for try await byte in bytes { body.append(byte) }
            throw refusal(response, body)
        }
    }

    private func answer(_ request: URLRequest) async throws -> Data {
        let (data, response) = try await session.data(for: request)
        if statusCode(of: response) >= 300 { throw refusal(response, data) }
        return data
    }

    private func request(_ path: String) -> URLRequest {
        var request = URLRequest(url: URL(string: baseURL.absoluteString + path)!)
        request.timeoutInterval = 45  // seconds of silence: three heartbeats
        request.setValue(locale, forHTTPHeaderField: "Accept-Language")
        return request
    }

    /// What a request with a token brings, or one with another token if that is refused.
    private func authorised<T>(_ request: URLRequest, _ send: (URLRequest) async throws -> T) async throws -> T {
        let current = try await token(nil)
        do {
            return try await send(bearing(current, request))
        } catch let refused as Eco2Error where refused.httpStatus == 401 {
            guard let other = try await token(current), other != current else { throw refused }
            return try await send(bearing(other, request))
        }
    }

    /// Does it again while nothing answers, or what answers says when to come again.
    private func persistently<T>(_ work: () async throws -> T) async throws -> T {
        for attempt in 1..<max(attempts, 1) {
            do {
                return try await work()
            } catch let refused as Eco2Error {
                guard let asked = refused.retryAfter, asked <= longestPause else { throw refused }
                try await pause(attempt, after: asked)
            } catch let failure as URLError where failure.code != .cancelled {
                try await pause(attempt)
            }
        }
        return try await work()
    }
}

private let longestPause = 30.0  // seconds

/// A random pause, so that clients that were cut off together don't come together.
private func pause(_ attempt: Int, after asked: Double = 0) async throws {
    let seconds = asked + Double.random(in: 0...min(0.25 * pow(2, Double(attempt - 1)), longestPause))
    try await Task.sleep(nanoseconds: UInt64(seconds * 1e9))
}

private func streamed(_ work: @escaping (@escaping (ScanEvent) -> Void) async throws -> Void) -> AsyncThrowingStream<ScanEvent, Error> {
    AsyncThrowingStream { continuation in
        let task = Task {
            do {
                try await work { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
    }
}

private func bearing(_ token: String?, _ request: URLRequest) -> URLRequest {
    var request = request
    if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    return request
}

private func sha256(_ photo: Data) -> String {
    SHA256.hash(data: photo).map { String(format: "%02x", $0) }.joined()
}

private func statusCode(of response: URLResponse) -> Int {
    (response as? HTTPURLResponse)?.statusCode ?? 0
}

/// What a reply says about a refusal.
private func refusal(_ response: URLResponse, _ body: Data) -> Eco2Error {
    Eco2Error(
        httpStatus: statusCode(of: response),
        status: try? JSONDecoder().decode(Status.self, from: body),
        retryAfterHeader: (response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Retry-After"))
}
