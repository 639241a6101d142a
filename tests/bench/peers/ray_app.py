"""The FastAPI application behind Ray Serve, one replica, on this machine alone.

usage: ray_app.py PORT    with MODEL and WIDTH in the environment"""
import os
import sys
import time

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ray
from ray import serve


def application():
    """Named by its module, so that each replica makes its own model."""
    from fastapi import FastAPI
    app = FastAPI()

    @serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0.5},
                      max_ongoing_requests=512)
    @serve.ingress(app)
    class Scorer:
        def __init__(self):
            import fastapi_app
            self.module = fastapi_app

        @app.post("/v1/score")
        async def score(self, event: dict):
            return await self.module.score(self.module.Event(**event))

        @app.get("/readyz")
        async def ready(self):
            return {}

    return Scorer.bind()


ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80 << 20, log_to_driver=False,
         runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}})
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(application(), route_prefix="/")
print("ready", flush=True)
while True:
    time.sleep(60)
