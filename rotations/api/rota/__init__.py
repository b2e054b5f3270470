"""The rota over REST, for staff: who is on call, shifts and gaps, and everything people do about them.

People are named by their e-mail address. Customers find nothing here. One file a subject: what is said, what is shown,
and the doors.
"""

from rotations.api.rota import duty, fairness, hand_offs, leave, onlookers, policies, rings, swaps

urlpatterns = [
    *duty.urlpatterns,
    *swaps.urlpatterns,
    *leave.urlpatterns,
    *hand_offs.urlpatterns,
    *onlookers.urlpatterns,
    *fairness.urlpatterns,
    *rings.urlpatterns,
    *policies.urlpatterns,
]
