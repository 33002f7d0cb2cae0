// Scans photo.jpg and says what to do with what it shows.
import app.eco2.client.Eco2Client
import java.io.File
import kotlinx.coroutines.runBlocking

fun main() = runBlocking {
    val environment = System.getenv() // `set -a; . var/stack.env`
    val client = Eco2Client(environment.getValue("ECO2_REST_URL"), locale = "en") { environment["ECO2_TOKEN"] }
    client.scan(File("photo.jpg").readBytes()).collect { (scan, last) ->
        println("${scan.progress?.percent ?: 0} %  ${scan.progress?.message}")
        if (last) println(scan.answer?.text)
    }
}
