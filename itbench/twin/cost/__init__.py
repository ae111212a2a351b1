"""The cost twin: the bill of a simulated organisation, with what goes wrong in it and what would mend it.

simulation = simulate(read_cost_scenario(path), seed=7)
simulation.write(folder)
outcome = apply(read_cost_scenario(path), seed=7, proposals=[CostAction(...)])
"""
