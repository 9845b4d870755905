"""HTTP, at a Function URL beside the API: what `views.track.api` does. The URL itself adds the headers of CORS."""

from views.track.api import Settings as Settings
from views.track.api import handler as handler
