"""Clients that keep asking until they are answered, and remember everything they were told."""
import http.client
import random
import threading
import time

from service import event, text
from tap import lines

AGAIN = 0.1  # chance that a request repeats one that was answered


class Client(threading.Thread):
    """One keep-alive connection. A request that is not answered is sent again until it is."""

    def __init__(self, port, seed, number, size, finished, pause=0):
        super().__init__(daemon=True)
        self.port, self.number, self.size, self.finished = port, number, size, finished
        self.pause = pause  # between two requests
        self.chance = random.Random(seed + number)
        self.connection = None
        self.sent = {}  # event_id: the event
        self.answers = {}  # event_id: every answer to it, in order
        self.done = []  # requests that were answered
        self.unanswered = 0  # requests that had to be sent again
        self.refusals = []  # of those with 503: seconds it took, Retry-After, content type, body
        self.slowest = 0  # seconds that the longest answered request took
        self.problems = []
        self.answered_at = {}  # event_id: when it was answered first, on the monotonic clock
        self.give_up = threading.Event()  # what is not answered by then is left

    def new_request(self):
        first = (self.number << 32) + len(self.sent)
        made = [event(first + i, user_id=f"user-{self.chance.randrange(300)}",
                      transaction_amount=round(self.chance.uniform(1, 900), 2))
                for i in range(self.size)]
        self.sent.update((one["event_id"], one) for one in made)
        return made

    def ask(self, request):
        """The answers, or None when the connection went away or nobody was there."""
        began = time.monotonic()
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            path = "/v1/score" if self.size == 1 else "/v1/score/batch"
            self.connection.request("POST", path, "\n".join(map(text, request)))
            answer = self.connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException):
            if self.connection:
                self.connection.close()
            self.connection = None
            return None
        took = time.monotonic() - began
        if answer.status == 200:
            self.slowest = max(self.slowest, took)
            return self.accepted(lines(body))
        if answer.status == 503:
            self.refusals.append((took, answer.headers.get("Retry-After"),
                                  answer.headers.get("Content-Type"), body))
        else:
            self.problems.append(f"{answer.status} {body}")
        return None

    def accepted(self, answers):
        """None when a line of a batch was refused: all of it is sent again, and what was decided
        must then come back as it was."""
        refused = [one for one in answers if one.get("status") == 503]
        for one in answers:
            if "decision" in one:
                self.answered_at.setdefault(one["event_id"], time.monotonic())
                self.answers.setdefault(one["event_id"], []).append(one)
        return None if refused else answers

    def run(self):
        while True:
            # What was answered once may be asked again; at the end there is nothing new.
            again = self.done and self.chance.random() < AGAIN
            if not again and self.finished.is_set():
                return
            request = self.chance.choice(self.done) if again else self.new_request()
            while (answers := self.ask(request)) is None:
                self.unanswered += 1
                if self.give_up.is_set():
                    return
                time.sleep(0.02)
            if [one["event_id"] for one in answers] != [one["event_id"] for one in request]:
                self.problems.append("answers to other events")
            if not again:
                self.done.append(request)
            time.sleep(self.pause)


class Load:
    """Several clients at once; `sizes`: events in a request of each, 1 being /v1/score. The clients take
    `ports` in turns."""

    def __init__(self, ports, sizes, seed=20261121, pause=0):
        self.finished = threading.Event()
        self.clients = [Client(ports[number % len(ports)], seed, number, size, self.finished, pause)
                        for number, size in enumerate(sizes)]

    def start(self):
        for client in self.clients:
            client.start()

    def finish(self, seconds=60):
        """Lets everything be answered; false when something is not."""
        self.finished.set()
        for client in self.clients:
            client.join(seconds)
        return not any(client.is_alive() for client in self.clients)

    def gather(self, member):
        """One dictionary or list out of those of all clients."""
        kinds = [getattr(client, member) for client in self.clients]
        if isinstance(kinds[0], dict):
            return {name: value for one in kinds for name, value in one.items()}
        return [value for one in kinds for value in one] if isinstance(kinds[0], list) \
            else sum(kinds)


def contradictions(answers, rows):
    """Answers ever given that are not what the record says, field by field."""
    return [(given, rows.get(name)) for name, several in answers.items() for given in several
            if not rows.get(name) or any(rows[name][key] != value for key, value in given.items()
                                         if key != "duplicate")]
