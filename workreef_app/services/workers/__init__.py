"""The processes that run jobs: claiming, reclaiming what dead workers left, and schedules. Keeps P43 and P56."""
