from django.urls import path

from supportdesk.gallery.views import gallery

urlpatterns = [path("", gallery, name="gallery"), path("<slug:name>/", gallery, name="gallery_page")]
