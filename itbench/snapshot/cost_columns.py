"""The columns of a bill: what each may be called, and what is said where a file calls it otherwise.

| column | in the public form | meaning |
|---|---|---|
| day | date | the day of usage |
| account, csp, service, application, family | Account ID, CSP, Cloud_Service, Application, Instance_Family | the hierarchy |
| price | Price ($/hr) | of one instance-hour |
| instances | Num_Instances | that ran |
| cost | unblended_cost | of the day, in `currency` where there is such a column |

Any other column is a dimension of its own, by the name that the file gives it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = ("account", "csp", "service", "application", "family")
"""The hierarchy, from the widest to the narrowest."""

_PUBLIC = {
    "day": "date",
    "account": "Account ID",
    "csp": "CSP",
    "service": "Cloud_Service",
    "application": "Application",
    "family": "Instance_Family",
    "price": "Price ($/hr)",
    "instances": "Num_Instances",
    "cost": "unblended_cost",
}
# Spellings in lower case without anything but letters and digits, the best one first.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "day": ("date", "usagedate", "day", "billingdate", "usagestartdate", "chargeperiodstart"),
    "account": ("accountid", "account", "usageaccountid", "linkedaccount", "linkedaccountid", "subaccountid", "accountname"),
    "csp": ("csp", "cloudprovider", "provider", "providername", "cloud", "vendor"),
    "service": ("cloudservice", "service", "servicename", "productcode", "product", "awsservice"),
    "application": ("application", "app", "applicationname", "appname", "workload"),
    "family": ("instancefamily", "family", "machinefamily", "instancetype", "machinetype"),
    "price": ("pricehr", "price", "priceperhour", "pricehour", "pricehourly", "hourlyprice", "unitprice", "rate"),
    "instances": ("numinstances", "instances", "instancecount", "numberofinstances", "quantity", "usagequantity", "count"),
    "cost": ("unblendedcost", "cost", "amount", "costamount", "totalcost", "billedcost", "effectivecost", "netcost"),
    "currency": ("currency", "billingcurrency", "currencycode"),
}
_RESERVED = {*_SPELLINGS, "row", "lost", "said", "file"}


@dataclass(frozen=True, slots=True)
class BillColumns:
    """How the columns of one file are read.

    Attributes:
        header: as it stands in the file.
        names: of each column, the name in our tables; each only once.
        missing: of `day` and `cost`, what is not there: without them there is no bill.
    """

    header: tuple[str, ...]
    names: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns to group by, in the order of the file, by our names."""
        return tuple(name for name in self.names if name not in ("day", "price", "instances", "cost", "currency"))

    def label(self, name: str) -> str:
        """What the file calls one of our columns."""
        return self.header[self.names.index(name)]

    def find(self, text: str) -> str | None:
        """Our name of the dimension that somebody calls `text`."""
        plain = _plain(text)
        for name in self.dimensions:
            if plain in (_plain(name), _plain(self.label(name)), *_SPELLINGS.get(name, ())):
                return name
        return None

    def renamed(self) -> tuple[tuple[str, str], ...]:
        """Columns that are spelled otherwise than in the public form: as in the file, and what they are read as."""
        told = ((label, _PUBLIC.get(name)) for label, name in zip(self.header, self.names, strict=True))
        return tuple((label, public) for label, public in told if public is not None and label != public)

    def unknown(self) -> tuple[str, ...]:
        """Columns that are none of the public form's, which become dimensions."""
        return tuple(
            label for label, name in zip(self.header, self.names, strict=True) if name not in (*_PUBLIC, "currency")
        )

    def absent(self) -> tuple[str, ...]:
        """Columns of the public form that are not there, by its names."""
        return tuple(public for name, public in _PUBLIC.items() if name not in self.names)


def bill_columns(header: Sequence[str]) -> BillColumns:
    """How a file with this header is read. Where two columns would do, the better spelling is taken."""
    plain = [_plain(label) for label in header]
    taken: dict[int, str] = {}
    for name, spellings in _SPELLINGS.items():
        for spelling in spellings:
            place = next((at for at, text in enumerate(plain) if text == spelling and at not in taken), None)
            if place is not None:
                taken[place] = name
                break
    names: list[str] = []
    for place, label in enumerate(header):
        own = taken.get(place) or label.strip() or f"column_{place + 1}"
        if place not in taken:
            while own.lower() in _RESERVED or own.lower() in map(str.lower, [*names, *taken.values()]):
                own = f"{own}_"
        names.append(own)
    missing = tuple(_PUBLIC[name] for name in ("day", "cost") if name not in names)
    return BillColumns(tuple(header), tuple(names), missing)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
