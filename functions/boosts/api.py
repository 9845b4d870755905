"""HTTP: create, list, execute, pause and cancel boost campaigns."""



from boosts.bootstrap import ApiSettings as Settings
from sluice import http

__all__ = ["Settings", "app", "handler"]

app = http.resolver()
