"""Who is in the sample world: a health insurer and a logistics company, all of it made up."""

from __future__ import annotations

from dataclasses import dataclass

from workreef_app.services.operation import Persona


@dataclass(frozen=True, slots=True)
class SampleDepartment:
    """A department of a sample tenant."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody who can sign in to a sample tenant, as one persona."""

    email: str
    name: str
    persona: Persona
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleTenant:
    """A sample tenant with its departments and people."""

    slug: str
    name: str
    hipaa: bool
    departments: tuple[SampleDepartment, ...]
    people: tuple[SamplePerson, ...]


TENANTS = (
    SampleTenant(
        slug="health",
        name="Meridian Health",
        hipaa=True,
        departments=(
            SampleDepartment("claims", "Claims"),
            SampleDepartment("member-services", "Member services"),
        ),
        people=(
            SamplePerson("dana@meridian.example", "Dana Ito", Persona.OPERATOR, ("claims",)),
            SamplePerson("omar@meridian.example", "Omar Reyes", Persona.OPERATOR, ("member-services",)),
            SamplePerson("lena@meridian.example", "Lena Hart", Persona.DEPT_LEAD, ("claims",)),
            SamplePerson("victor@meridian.example", "Victor Lang", Persona.CHANGE_LEADER),
            SamplePerson("cora@meridian.example", "Cora Lind", Persona.CONTRIBUTOR, ("claims",)),
            SamplePerson("ada@meridian.example", "Ada Quist", Persona.ADMIN),
            SamplePerson("sam@meridian.example", "Sam Weld", Persona.SECURITY_REVIEWER),
        ),
    ),
    SampleTenant(
        slug="harbor",
        name="Harbor Logistics",
        hipaa=False,
        departments=(SampleDepartment("depots", "Depots"),),
        people=(
            SamplePerson("mia@harbor.example", "Mia Torres", Persona.OPERATOR, ("depots",)),
            SamplePerson("paul@harbor.example", "Paul Novak", Persona.ADMIN),
            SamplePerson("ines@harbor.example", "Ines Brandt", Persona.SECURITY_REVIEWER),
        ),
    ),
)
