"""The catalogue of models: each persona with each of its units."""

import time
from collections.abc import Sequence

from bots.persona_pool import PersonaInfo, PersonaPool
from bots.server.errors import ProtocolError
from bots.server.protocol import Colour, Model
from bots.terminal.theme import THEMES, Theme
from charbot.generation.persona import Persona
from charbot.personas.library import slug
from charbot.text import find_name
from charbot.tokens.vocabulary import Unit


class Catalogue:
    """The models that the server offers: `joey` with the usual unit, `joey:char` with the other."""

    def __init__(self, pool: PersonaPool, unit: Unit, *, mature: bool) -> None:
        """`unit` is the usual one. Mature personas are left out unless `mature`."""
        self._pool, self._unit, self._mature = pool, unit, mature
        self._started = int(time.time())

    def models(self) -> dict[str, Model]:
        """Return the models by id, sorted by show and name."""
        members = self._pool.members
        models = [
            self._model(info, unit, members)
            for info in members
            if self._mature or not info.mature
            for unit in sorted(info.units, key=lambda unit: unit != self._unit)
        ]
        return {model.id: model for model in models}

    def model(self, id_: str) -> Model:
        """Return a model by its id, or by the names of the persona and the unit. Raises ProtocolError."""
        name, colon, unit_name = id_.partition(":")
        info = self._pool.member(name)
        if info and info.mature and not self._mature:
            raise _not_found(f"{info.name} is a mature persona, which this server does not offer: start it with `--mature`")
        # Each request comes here: the other models are not made for it.
        wanted = unit_name.casefold() if colon else self._unit
        if info:
            for unit in info.units:
                if unit == wanted:
                    return self._model(info, unit, self._pool.members)
        _, hint = find_name(f"{slug(name)}{colon}{unit_name}", self.models())
        raise _not_found(f"there is no model {id_[:80]!r}.{hint} GET /v1/models lists them all.")

    def persona(self, model: Model) -> Persona:
        """Return the persona of a model. May block to read it. Raises BundleError."""
        return self._pool.persona(model.name)

    def _model(self, info: PersonaInfo, unit: Unit, members: Sequence[PersonaInfo]) -> Model:
        names, shows = [member.name for member in members], [member.show for member in members]

        def colour(theme: Theme) -> str:
            return theme.speaker(info.name, names)

        def show_colour(theme: Theme) -> str:
            return theme.show(info.show, shows)

        dark, light = THEMES["dark"], THEMES["light"]
        return Model(
            id=slug(info.name) + ("" if unit == self._unit else f":{unit}"), created=self._started,
            name=info.name, show=info.show, unit=unit, mature=info.mature,
            colour=Colour(dark=colour(dark), light=colour(light)),
            show_colour=Colour(dark=show_colour(dark), light=show_colour(light)),
        )  # fmt: skip


def _not_found(message: str) -> ProtocolError:
    return ProtocolError(404, message, param="model", code="model_not_found")
