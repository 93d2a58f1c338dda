"""The register of tasks (sổ theo dõi nhiệm vụ): events, reports of departments, proposals that became tasks."""
