"""FastAPI, uvicorn and XGBoost as one would put them together: the event checked by pydantic, a row of
features, Booster.inplace_predict on one thread, a decision by threshold. No windows, no record, no
fsync, no reasons: less work than binnacle does. Also used behind Ray Serve.

started as: uvicorn fastapi_app:app, with MODEL and WIDTH in the environment"""
import datetime
import math
import os
from typing import Literal, Optional

import numpy
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel, Field

COUNTRIES = ("US", "CA", "GB", "DE", "FR", "IN", "BR")
DEVICES = ("ios", "android", "web")


class Event(BaseModel):
    event_id: str = Field(min_length=26, max_length=26)
    user_id: str = Field(pattern="^user-[0-9]+$")
    transaction_amount: float = Field(ge=0, le=5000)
    country: Literal["US", "CA", "GB", "DE", "FR", "IN", "BR"]
    device: Literal["ios", "android", "web"]
    event_ts: datetime.datetime
    label: Optional[int] = None


app = FastAPI()
booster = xgboost.Booster(model_file=os.environ["MODEL"])
booster.set_param({"nthread": 1})
width = int(os.environ["WIDTH"])


def features(event):
    """The columns that hang on the event alone; those of windows stay 0."""
    row = numpy.zeros((1, width), "f")
    row[0, 0] = event.transaction_amount
    row[0, 1] = math.log1p(event.transaction_amount)
    row[0, 15] = event.event_ts.hour
    row[0, 16] = event.event_ts.weekday()
    row[0, 17 + DEVICES.index(event.device)] = 1
    row[0, 20 + COUNTRIES.index(event.country)] = 1
    return row


@app.post("/v1/score")
async def score(event: Event):
    probability = float(booster.inplace_predict(features(event))[0])
    decision = "decline" if probability >= 0.8 else "review" if probability >= 0.3 else "approve"
    return {"event_id": event.event_id, "decision": decision, "score": probability}


@app.get("/readyz")
async def ready():
    return {}
