/**
 * Uploads photos and watches their scans. What it sends and gets are the models that openapi-generator makes of
 * docs/openapi.yaml; of a stream the generator makes a call that answers once, so these calls are written by hand.
 */
package app.eco2.client

import app.eco2.client.models.CreateScanRequest
import app.eco2.client.models.CreateScanResponse
import app.eco2.client.models.ErrorReason
import app.eco2.client.models.Scan
import app.eco2.client.models.Status
import app.eco2.client.models.Upload
import app.eco2.client.models.UploadTicket
import app.eco2.client.models.WatchScanResponse
import java.io.EOFException
import java.io.IOException
import java.security.MessageDigest
import java.util.UUID
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.random.Random
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.retryWhen
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.serialization.json.Json
import okhttp3.Call
import okhttp3.Callback
import okhttp3.Headers.Companion.toHeaders
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import okio.BufferedSource

/** How a scan stands: first as it is, then after each change, and with [last] at its end. */
data class ScanEvent(val scan: Scan, val last: Boolean) {
    /** Grows with every change; what a later watch goes on from. */
    val version: Long get() = (scan.version ?: 0).toLong()
}

/**
 * The API, or object storage, refused. Also what [Scan.error] says of a scan that failed.
 *
 * @param status What was said, as far as it came from the API.
 */
class Eco2Exception(val httpStatus: Int, status: Status?, retryAfterHeader: String? = null) :
    IOException(status?.message ?: "HTTP $httpStatus") {
    private val details = status?.details.orEmpty()

    /** Why: what to decide by. More reasons may be added. */
    val reason: ErrorReason? = details.firstNotNullOfOrNull { it.reason }

    /** What to show the user, by language. */
    val texts: Map<String, String> =
        details.filter { it.locale != null }.associate { it.locale.orEmpty() to it.message.orEmpty() }

    /** In how many milliseconds another try makes sense; null if it makes none. */
    val retryAfterMillis: Long? =
        (details.firstNotNullOfOrNull { it.retryDelay }?.removeSuffix("s") ?: retryAfterHeader)
            ?.toDoubleOrNull()?.let { (it * 1000).toLong() } ?: if (httpStatus in TRANSIENT) 0 else null
}

/**
 * Eco² for one user. What is lost or refused for now is sent again, with the same `request_id`, so it happens once.
 *
 * @param token Gives the access token; asked once more, with the one that was refused, after a 401.
 * @param http Its read timeout ends a watch that has fallen silent: three heartbeats.
 * @param attempts Tries at most, the first one included.
 */
class Eco2Client(
    private val baseUrl: String,
    private val locale: String = "ko",
    private val http: OkHttpClient = OkHttpClient.Builder().readTimeout(45, TimeUnit.SECONDS).build(),
    private val attempts: Int = 8,
    private val token: suspend (refused: String?) -> String?,
) {
    /** Scans a photo, and tells how it goes until it has ended. */
    fun scan(photo: ByteArray, about: CreateScanRequest = CreateScanRequest()): Flow<ScanEvent> = flow {
        emitAll(watch(upload(photo, about).scanId.orEmpty()))
    }

    /** Uploads a photo and starts its scan. Again with the same `requestId` and photo it is the same scan. */
    suspend fun upload(photo: ByteArray, about: CreateScanRequest = CreateScanRequest()): Scan {
        val announced = about.upload ?: Upload(Upload.ContentType.IMAGE_SLASH_JPEG, photo.size, sha256(photo))
        val request = about.copy(upload = announced, requestId = about.requestId ?: UUID.randomUUID().toString())
        repeat(TICKETS) {
            val created: CreateScanResponse = call("POST", "/v1/scans", JSON.encodeToString(request))
            val scan = created.scan ?: Scan()
            val ticket = created.upload ?: return scan // an earlier call with this id has uploaded it
            if (put(photo, ticket)) return call("POST", "/v1/scans/${scan.scanId}:start", "{}")
        }
        throw Eco2Exception(FORBIDDEN, null) // each address for the photo had expired before it was there
    }

    /** A scan's events after a version, each once, until its end, however often the connection is cut. */
    fun watch(scanId: String, afterVersion: Long = 0): Flow<ScanEvent> = flow {
        var seen = afterVersion
        var cuts = 0
        val connections = flow { emitAll(connection(scanId, seen)) }
            .filter { it.last || it.version > seen }
            .onEach { seen = it.version; cuts = 0 }
            .retryWhen { cause, _ ->
                cuts += 1
                val again = cause is IOException && cause !is Eco2Exception && cuts < attempts
                if (again) delay(pause(cuts))
                again
            }
        emitAll(connections.transformWhile { emit(it); !it.last })
    }

    /** One JSON call of the API, such as `call<Scan>("GET", "/v1/scans/$id")`. A POST must be one that may be repeated. */
    suspend inline fun <reified T> call(method: String, path: String, body: String? = null): T =
        JSON.decodeFromString(text(method, path, body))

    /** What a call answers, as it came. */
    suspend fun text(method: String, path: String, body: String? = null): String = persistently {
        val request = request(path).method(method, body?.toRequestBody("application/json".toMediaType()))
        authorised(request).response.use { it.body!!.string() }
    }

    /** Whether the photo is there now; not if its address has expired, of which a new scan request brings another. */
    private suspend fun put(photo: ByteArray, ticket: UploadTicket): Boolean {
        val headers = ticket.headers.orEmpty().filterKeys { !it.equals("Content-Length", ignoreCase = true) }
        val request = Request.Builder().url(ticket.url!!).headers(headers.toHeaders())
        request.method(ticket.method ?: "PUT", photo.toRequestBody(headers["Content-Type"]?.toMediaType()))
        try {
            persistently { answer(request.build()) }.response.close()
        } catch (refused: Eco2Exception) {
            if (refused.httpStatus == FORBIDDEN) return false
            if (refused.httpStatus != ALREADY_THERE) throw refused
        }
        return true
    }

    /** The events of one connection. It fails if it ends before the scan does. */
    private fun connection(scanId: String, after: Long): Flow<ScanEvent> = callbackFlow {
        val request = request("/v1/scans/$scanId:watch").header("Accept", "text/event-stream")
        if (after > 0) request.header("Last-Event-ID", after.toString())
        val (call, response) = persistently { authorised(request) }
        launch(Dispatchers.IO) {
            response.use { read(it.body!!.source(), ::send) }
            close()
        }
        awaitClose { call.cancel() }
    }

    /** Server-Sent Events, whose `data` is JSON on one line, until the last one. */
    private suspend fun read(lines: BufferedSource, tell: suspend (ScanEvent) -> Unit) {
        var name = ""
        while (true) {
            val line = lines.readUtf8Line() ?: throw EOFException("The watch was cut")
            if (line.startsWith("event: ")) name = line.removePrefix("event: ")
            if (!line.startsWith("data: ") || name == "reconnect") continue
            val scan = JSON.decodeFromString<WatchScanResponse>(line.removePrefix("data: ")).scan ?: continue
            tell(ScanEvent(scan, last = name == "terminal"))
            if (name == "terminal") return
        }
    }

    private fun request(path: String) = Request.Builder().url(baseUrl + path).header("Accept-Language", locale)

    /** The answer to a request with a token, or with another one if that is refused. */
    private suspend fun authorised(request: Request.Builder): Answer {
        val current = token(null)
        try {
            return answer(request.bearing(current))
        } catch (refused: Eco2Exception) {
            val other = if (refused.httpStatus == UNAUTHORIZED) token(current) else null
            if (other == null || other == current) throw refused
            return answer(request.bearing(other))
        }
    }

    private fun Request.Builder.bearing(token: String?): Request =
        (if (token == null) this else header("Authorization", "Bearer $token")).build()

    private suspend fun answer(request: Request): Answer {
        val call = http.newCall(request)
        val response = call.await()
        if (response.isSuccessful) return Answer(call, response)
        throw response.use(::refusal)
    }

    /** Does it again while nothing answers, or what answers says when to come again. */
    private suspend fun <T> persistently(work: suspend () -> T): T {
        for (attempt in 1 until attempts) {
            try {
                return work()
            } catch (failure: IOException) {
                val asked = if (failure is Eco2Exception) failure.retryAfterMillis ?: throw failure else 0
                if (asked > LONGEST_MILLIS) throw failure
                delay(asked + pause(attempt))
            }
        }
        return work()
    }
}

private data class Answer(val call: Call, val response: Response)

@PublishedApi
internal val JSON = Json {
    ignoreUnknownKeys = true // fields may be added
    coerceInputValues = true // and enums' values
}

private const val TICKETS = 3
private const val UNAUTHORIZED = 401
private const val FORBIDDEN = 403
private const val ALREADY_THERE = 412
private const val FIRST_MILLIS = 250L
private const val LONGEST_MILLIS = 30_000L
private val TRANSIENT = setOf(408, 500, 502, 503, 504)

/** A random pause, so that clients that were cut off together don't come together. */
private fun pause(attempt: Int): Long = Random.nextLong(minOf(FIRST_MILLIS shl minOf(attempt - 1, 10), LONGEST_MILLIS))

private fun sha256(photo: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(photo).joinToString("") { "%02x".format(it) }

/** What a reply says about a refusal. */
private fun refusal(response: Response): Eco2Exception {
    val status = runCatching { JSON.decodeFromString<Status>(response.body!!.string()) }.getOrNull()
    return Eco2Exception(response.code, status, response.header("Retry-After"))
}

private suspend fun Call.await(): Response = suspendCancellableCoroutine { continuation ->
    continuation.invokeOnCancellation { cancel() }
    enqueue(
        object : Callback {
            override fun onFailure(call: Call, e: IOException) = continuation.resumeWithException(e)

            override fun onResponse(call: Call, response: Response) = continuation.resume(response)
        },
    )
}
