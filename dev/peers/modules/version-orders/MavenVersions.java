import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import org.apache.maven.artifact.versioning.ComparableVersion;

/** Orders pairs of versions as Maven's ComparableVersion does. */
public class MavenVersions {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        var out = new PrintStream(System.out, false);
        for (String line; (line = lines.readLine()) != null; ) {
            String[] pair = line.split("\t", -1);
            try {
                int order = new ComparableVersion(pair[0]).compareTo(new ComparableVersion(pair[1]));
                out.println(order < 0 ? "<" : order > 0 ? ">" : "=");
            } catch (IllegalArgumentException tooLong) {
                out.println("?");
            }
        }
        out.flush();
    }
}
