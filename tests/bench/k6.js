// One GET after another; users, duration and connection reuse come from the command line.
import http from "k6/http";

export default function () {
  http.get(__ENV.URL);
}
