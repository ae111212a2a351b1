"""A picture of one incident: what was done, what the services went through, what monitoring said, and how it spread.

simulation = simulate(plan(read_scenario(path)), seed=7, sampling=LITE)
write(picture_of(simulation), Path("incident.svg"))
"""
