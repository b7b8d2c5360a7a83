"""How often anybody may call: counted in this process, or in Redis for all processes together.

No call is refused because Redis does not answer: the process counts by itself until it does.
"""
